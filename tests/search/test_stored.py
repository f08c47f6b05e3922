"""A database that is whole, but in which rows were altered, is refused by what would write to it as by what looks."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bnsearch.errors import StoreError
from bnsearch.search.session import store_to_change
from tests.search.helpers import run, tiny

REFUSED = "of 'tiny' must be as this version of bnsearch writes it, but: .*: bring back a backup"
OF_COARSE = "study_id = (SELECT study_id FROM studies WHERE study_name = 'tiny.coarse')"
FIRST = f"trial_id = (SELECT min(trial_id) FROM trials WHERE {OF_COARSE})"
SET_STUDYS, SET_TRIALS = (f"UPDATE {of}_user_attributes SET value_json =" for of in ("study", "trial"))
EDITS = {
    "total is text": f"{SET_STUDYS} '\"x\"' WHERE key = 'total' AND {OF_COARSE}",
    "space is a list": f"{SET_STUDYS} '[1]' WHERE key = 'space' AND {OF_COARSE}",
    "space is gone": f"DELETE FROM study_user_attributes WHERE key = 'space' AND {OF_COARSE}",
    "batches are numbers": f"{SET_STUDYS} '[1]' WHERE key = 'batches' AND {OF_COARSE}",
    "bits are a number": f"{SET_TRIALS} '3' WHERE key = 'valid_correct' AND {FIRST}",
    "bits are too few": f"{SET_TRIALS} '\"AA\"' WHERE key = 'valid_correct' AND {FIRST}",
    "the number of bits": f"{SET_TRIALS} '9e9' WHERE key = 'n_valid' AND {FIRST}",
    "parameters are gone": f"DELETE FROM trial_params WHERE {FIRST}",
    "another distribution": 'UPDATE trial_params SET distribution_json = \'{"name": "Odd", "attributes": {}}\'',
    "a parameter is text": "UPDATE trial_params SET distribution_json = "
    '\'{"name": "CategoricalDistribution", "attributes": {"choices": ["a"]}}\'',
    "a side of nothing": f'{SET_STUDYS} \'[{{"name": "x", "side": "low", "edge": 1, "extended_to": 1}}]\' '
    f"WHERE key = 'open_sides' AND {OF_COARSE}",
    "a side that is none": f'{SET_STUDYS} \'[{{"name": "l2", "side": "up", "edge": 1, "extended_to": 1}}]\' '
    f"WHERE key = 'open_sides' AND {OF_COARSE}",
    "another state": f"UPDATE trials SET state = 'FOO' WHERE {FIRST}",
    "a value of no number": f"UPDATE trial_values SET value = NULL WHERE {FIRST}",
    "a report of no number": f"UPDATE trial_intermediate_values SET intermediate_value = NULL WHERE {FIRST}",
    "no value": f"DELETE FROM trial_values WHERE {FIRST}",
    "repeats are gone": "DELETE FROM trial_user_attributes WHERE key = 'repeat'",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_altered_rows_are_refused_in_one_line_before_anything_is_written(edit: str, finished: Path) -> None:
    """Each once ended a search as a bug of bnsearch, in its midst."""
    with closing(sqlite3.connect(finished / "tiny.db")) as connection, connection:
        assert connection.execute(edit).rowcount > 0
    with closing(sqlite3.connect(finished / "tiny.db")) as connection:
        before = list(connection.iterdump())
        with pytest.raises(StoreError, match=REFUSED) as caught:
            run(tiny(finished, "coarse.trials=7"), "coarse")
        with pytest.raises(StoreError, match=REFUSED), store_to_change(tiny(finished), None):
            pass
        assert list(connection.iterdump()) == before
    assert "\n" not in str(caught.value)


def test_rows_of_a_study_that_is_gone_are_no_bug(finished: Path) -> None:
    """SQLite gave their study's number to the next one."""
    with closing(sqlite3.connect(finished / "tiny.db")) as connection, connection:
        connection.execute("DELETE FROM studies")
    with pytest.raises(StoreError, match=r"must hold no rows of studies that are gone, but does: bring back a backup"):
        run(tiny(finished), "coarse")


def test_what_goes_wrong_at_work_is_not_laid_on_the_database(finished: Path) -> None:
    with pytest.raises(KeyError, match="a bug"), store_to_change(tiny(finished), None):
        raise KeyError("a bug")
