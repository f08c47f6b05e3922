"""How a stage stands that another process runs, seen from its database."""

from collections.abc import Iterator
from contextlib import contextmanager

import optuna

from bnsearch.search.address import sqlite_path
from bnsearch.search.browsing import Browsed, browse
from bnsearch.search.courses import view_of
from bnsearch.search.database_error import database_errors
from bnsearch.search.live import View
from bnsearch.search.session import storage_url
from bnsearch.search.setups import NAMES
from bnsearch.search.study_file import Study
from bnsearch.search.study_lock import seems_at_work


class Followed:
    """A study that may be under way."""

    def __init__(self, study: Study, url: str, browsed: Browsed):
        self.study, self.url, self.browsed = study, url, browsed

    def is_at_work(self) -> bool:
        """Does a process hold the study, as far as this machine can tell?"""
        return seems_at_work(self.study.results, self.url)

    def look(self) -> dict[str, View]:
        """All stages that have come to training, by the names of their studies; of those under way the last is."""
        self.browsed.refresh()
        found = {}
        for level in NAMES:
            name = f"{self.study.name}.{level}"
            try:
                seen = view_of(optuna.load_study(study_name=name, storage=self.browsed.storage))
            except KeyError:
                continue
            if seen is not None:
                found[name] = seen
        return found


@contextmanager
def followed(study: Study, storage: str | None) -> Iterator[Followed | None]:
    """A study to be followed; None where it has no database yet."""
    url = storage_url(study, storage)
    path = sqlite_path(url)
    if path is not None and not path.exists():
        yield None
        return
    with database_errors(url):
        browsed = browse([url])
        try:
            yield Followed(study, url, browsed)
        finally:
            browsed.close()
