"""Which studies are shown when someone asks for a dashboard: those named, or all that have a database here."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bnsearch.errors import UsageError
from bnsearch.search.address import sqlite_path
from bnsearch.search.session import storage_url
from bnsearch.search.study_file import Study, bundled, load_study

HERE = Path("studies")


@dataclass(frozen=True)
class ShownStudy:
    """A study and its database."""

    study: Study
    url: str


def shown_studies(names: Sequence[str], storage: str | None) -> list[ShownStudy]:
    """The studies of these names, or all in ./studies that have been run; refused where there is no database."""
    if names:
        found = [_shown(name, storage) for name in dict.fromkeys(names)]
        for one in found:
            path = sqlite_path(one.url)
            if path is not None and not path.exists():
                raise UsageError(
                    f"A study must have been run to be shown, but {one.study.called} has no database {path}: run "
                    f"`bnsearch run {one.study.called}` first."
                )
        return found
    known = sorted({*bundled(), *(path.stem for path in HERE.glob("*.toml"))})
    if storage is not None:
        raise UsageError(
            f"With --storage a study must be named, such as {known[0]}: `bnsearch dashboard {known[0]} …`."
        )
    run = [name for name in known if (HERE / f"{name}.db").exists()]
    if not run:
        raise UsageError(
            f"A study must have been run to be shown, but there is no database in {HERE}: run `bnsearch run digits`, "
            f"or name a study file."
        )
    return [_shown(name, None) for name in run]


def _shown(name: str, storage: str | None) -> ShownStudy:
    study = load_study(name)
    return ShownStudy(study, storage_url(study, storage))
