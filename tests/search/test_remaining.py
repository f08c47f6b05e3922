"""What is left of a study, from what the database has."""

from dataclasses import replace

import pytest

from bnsearch.search.cost import Form, Pace
from bnsearch.search.remaining import (
    OpenBatch,
    Overheads,
    Stored,
    StoredLevel,
    StoredRepeats,
    Totals,
    Work,
    finalists,
    work_left,
    work_seconds,
)
from bnsearch.search.setups import Stage

PLAIN = Form(100, 10, evaluation_rows=10, end_rows=30)
WITH_RUNGS = replace(PLAIN, rungs=(30, 50))
FORMS: dict[Stage, Form] = {"coarse": PLAIN, "fine": PLAIN, "confirm": PLAIN, "final": PLAIN}
HALVED = FORMS | {"coarse": WITH_RUNGS, "fine": WITH_RUNGS}
ASKED = Totals(20, 10, 3, 2)


def left(stored: Stored, asked: Totals = ASKED, forms: dict[Stage, Form] = FORMS) -> dict[str, Work]:
    return {work.stage: work for work in work_left(forms, asked, stored)}


def counts(works: dict[str, Work]) -> dict[str, int]:
    return {stage: work.n_left for stage, work in works.items()}


def test_all_of_a_study_that_has_not_been_run() -> None:
    works = left(Stored())
    assert counts(works) == {"coarse": 20, "fine": 10, "confirm": 3 * 4, "final": 2}
    assert [work.steps for work in works.values()] == [2000, 1000, 1200, 200]


def test_a_fixed_setting_leaves_nothing_to_confirm() -> None:
    assert list(left(Stored(), Totals(20, 10, None, 2))) == ["coarse", "fine", "final"]


def test_nothing_of_a_finished_study() -> None:
    stored = Stored(
        {"coarse": StoredLevel(20, 20, 20.0), "fine": StoredLevel(10, 10, 10.0)},
        StoredRepeats(4, 3, 12, 12),
        StoredRepeats(1, 2, 2, 2),
    )
    works = left(stored)
    assert counts(works) == {"coarse": 0, "fine": 0, "confirm": 0, "final": 0}
    assert all(not work.rounds for work in works.values())
    more = counts(left(stored, Totals(25, 10, 5, 4)))
    assert more == {"coarse": 5, "fine": 0, "confirm": 8, "final": 2}


def test_a_smaller_total_takes_nothing_back() -> None:
    stored = Stored({"coarse": StoredLevel(30, 20, 20.0)})
    assert left(stored)["coarse"].n_left == 10, "30 were asked for before"


def test_trials_under_way_go_on_from_their_steps() -> None:
    stored = Stored({"coarse": StoredLevel(20, 15, 0.0, OpenBatch(20, (), (40, 40, 0)))})
    coarse = left(stored)["coarse"]
    assert coarse.n_left == 5
    assert coarse.steps == 2 * 60 + 100 + 2 * 100


def test_repeats_under_way_go_on_from_their_steps() -> None:
    levels = {"coarse": StoredLevel(20, 20, 20.0), "fine": StoredLevel(10, 10, 10.0)}
    confirm = left(Stored(levels, StoredRepeats(4, 3, 6, 3, ((1, 50), (2, 0), (2, 0)))))["confirm"]
    assert confirm.n_left == 9
    assert confirm.steps == 50 + 2 * 100 + 6 * 100


def test_a_further_level_that_is_due_or_begun() -> None:
    coarse, fine = StoredLevel(20, 20, 20.0), StoredLevel(10, 10, 10.0, further=True)
    due = Stored({"coarse": coarse, "fine": fine})
    assert left(due)["fine"].n_left == 10
    begun = Stored({"coarse": coarse, "fine": fine, "fine2": StoredLevel(10, 4, 4.0)})
    assert left(begun)["fine"].n_left == 6
    assert left(begun, ASKED._replace(fine=15))["fine"].n_left == 11, "a larger total is the further level's"


def test_rungs_save_steps() -> None:
    works = left(Stored(), forms=HALVED)
    assert works["coarse"].rungs == (30, 50)
    assert works["coarse"].steps == 20 * 30 + 10 * 20 + 5 * 50
    assert works["fine"].rungs == ()


def test_finalists_are_counted_by_the_cost_of_the_search() -> None:
    asked = Totals(40, 40, 3, 2)
    assert finalists(FORMS, asked, Stored()) == 4 + 1, "of 80 trainings"
    assert finalists(HALVED, asked, Stored()) == 4 + 1, "of 42"
    assert finalists(HALVED, Totals(24, 10, 3, 2), Stored()) == 2 + 1, "of 22.6"
    under_way = Stored({"coarse": StoredLevel(40, 12, 0.0, OpenBatch(40, (30, 50), (60,) * 28))})
    assert finalists(HALVED, asked, under_way) == 4 + 1
    over = Stored({"coarse": StoredLevel(40, 40, 12.5), "fine": StoredLevel(40, 40, 11.5)})
    assert finalists(HALVED, asked, over) == 2 + 1
    assert finalists(FORMS, ASKED, Stored(confirm=StoredRepeats(5, 3, 0, 0))) == 5, "those there are"


def test_data_are_prepared_side_by_side_and_once() -> None:
    pace, overheads = Pace((1,), (0.0,), (0.0,)), Overheads(trial=0.5, prepare=10.0, prepared={"confirm": 1})
    works = left(Stored(), ASKED._replace(confirm=4))

    def seconds(stage: Stage, n_workers: int) -> float:
        return work_seconds(works[stage], FORMS[stage], pace, overheads, n_workers)

    assert seconds("coarse", 2) == pytest.approx(20 * 0.5)
    assert seconds("confirm", 1) == pytest.approx(16 * 0.5 + 3 * 10)
    assert seconds("confirm", 2) == pytest.approx(16 * 0.5 + 2 * 10)
    assert seconds("final", 2) == pytest.approx(2 * 0.5 + 10)
