"""A search does not notice who reads its database while it runs."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import optuna
import pytest
from optuna_dashboard import wsgi

from bnsearch.search.address import default_url
from bnsearch.search.session import existing_store
from bnsearch.search.setups import STAGES
from bnsearch.search.stages import status
from bnsearch.search.study_file import Study
from tests.search.helpers import Heard, files, record, run, tiny


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """The dashboard's server, without a network; what it answers to a path."""
    storage = optuna.storages.RDBStorage(default_url(tmp_path, "tiny"))
    app = wsgi(storage)

    def ask(path: str) -> Any:
        environ: dict[str, Any] = {}
        setup_testing_defaults(environ)
        codes: list[str] = []
        body = b"".join(app(environ | {"PATH_INFO": path}, lambda code, *rest: codes.append(code)))
        assert codes == ["200 OK"], body
        return json.loads(body)

    yield ask
    storage.remove_session()
    storage.engine.dispose()


class Polled(Heard):
    """Reads in every way at each piece of news."""

    def __init__(self, study: Study, ask: Callable[[str], Any]):
        super().__init__()
        self.study, self.ask = study, ask
        self.running = 0  # most trials that were seen under way

    def show(self, view: Any) -> None:
        names = {found["study_id"]: found["study_name"] for found in self.ask("/api/studies")["study_summaries"]}
        for id_ in names:
            trials = self.ask(f"/api/studies/{id_}")["trials"]
            self.running = max(self.running, sum(trial["state"] == "Running" for trial in trials))
        with existing_store(self.study, None) as store:
            assert len(status(store, "tiny")) <= len(names)


def test_a_dashboard_a_status_and_an_open_reader(tmp_path: Path, whole: Study, dashboard: Callable[[str], Any]) -> None:
    """The dashboard even makes the database; another reader looks at one and the same moment all the time."""
    study = tiny(tmp_path)
    polled = Polled(study, dashboard)
    run(study, "coarse", progress=polled)
    with closing(sqlite3.connect(tmp_path / "tiny.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        before = reader.execute("SELECT count(*) FROM trials").fetchone()
        run(study, *STAGES[1:], progress=polled)
        assert reader.execute("SELECT count(*) FROM trials").fetchone() == before
    assert polled.running > 1
    assert record(study) == record(whole)
    assert files(study) == files(whole)
