"""What the dashboard shows beside the trials: of each study a note and its findings, of its best trials the learning
curve as a picture and as a table.

The words and the pictures come from elsewhere, as pure functions; the coordinator writes them when a stage begins and
when it ends, and only what has changed.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import optuna
import sqlalchemy as sa

from bnsearch.search import notes
from bnsearch.search.artifacts import BestTrial, Point, best_trials, keep_artifacts, picture_url
from bnsearch.search.session import Present, Session
from bnsearch.search.stages import status
from bnsearch.search.store import Store
from bnsearch.search.study_file import Study

Row = Mapping[str, Any]
ATTRIBUTES = sa.Table(  # of Optuna's schema, which is checked when the database is opened
    "study_system_attributes",
    sa.MetaData(),
    sa.Column("study_id", sa.Integer),
    sa.Column("key", sa.String(512)),
    sa.Column("value_json", sa.Text),
)


@dataclass(frozen=True)
class Words:
    """How to say and to draw what was found; notes are Markdown, with a picture by its address."""

    findings: Callable[[Row], list[str]]  # of a stage's row of `status`
    note: Callable[[Study, Row, Mapping[str, Any], str | None], str]  # of the row and its Optuna study's attributes
    trial_note: Callable[[Study, BestTrial, str], str]
    picture: Callable[[BestTrial, Sequence[Point]], str]  # SVG, of a trial and its learning curve


def presenter(words: Words) -> Present:
    """What a session calls when a stage begins and when it ends."""
    return partial(present, words=words)


def present(session: Session, names: Collection[str], words: Words) -> None:
    """Bring findings, notes and artifacts of these stages and levels up to date."""
    for row in status(session.store, session.study.called, session.study.results, names):
        optuna_study = session.store.load(row["stage"])
        if optuna_study is not None:  # a final that was reset has a row for its looks alone
            _present(session, words, row, optuna_study)


def _present(session: Session, words: Words, row: Row, optuna_study: optuna.Study) -> None:
    study, user_attrs, found = session.study, optuna_study.user_attrs, words.findings(row)
    if user_attrs.get("findings") != found:
        optuna_study.set_user_attr("findings", found)
    attrs = optuna_study._storage.get_study_system_attrs(optuna_study._study_id)
    shown, wanted = keep_artifacts(session, best_trials(optuna_study, row["verdict"]), attrs, words.picture)
    urls = {one.trial_id: picture_url(study, optuna_study, one) for one in shown}
    wanted |= notes.changed(attrs, None, words.note(study, row, user_attrs, next(iter(urls.values()), None)))
    for one in shown:
        wanted |= notes.changed(attrs, one.trial_id, words.trial_note(study, one, urls[one.trial_id]))
    for trial_id in notes.trials_with_ours(attrs) - urls.keys():
        wanted |= notes.changed(attrs, trial_id, None)
    set_system_attrs(session.store, optuna_study, wanted)


def set_system_attrs(store: Store, study: optuna.Study, attrs: Mapping[str, Any]) -> None:
    """All of them in one transaction, in place of what they were; None removes one."""
    if not attrs:
        return
    rows = [
        {"study_id": study._study_id, "key": key, "value_json": json.dumps(value)}
        for key, value in attrs.items()
        if value is not None
    ]
    same = sa.and_(ATTRIBUTES.c.study_id == study._study_id, ATTRIBUTES.c.key.in_(list(attrs)))
    with store.storage.engine.begin() as connection:
        connection.execute(sa.delete(ATTRIBUTES).where(same))
        if rows:
            connection.execute(sa.insert(ATTRIBUTES), rows)
