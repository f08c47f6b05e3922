"""What the page says of N19's search: which λ was drawn, and by whom a network was picked."""

import pytest

from benchmarks.reproduction.ours import Group
from benchmarks.reproduction.pictures import n19
from benchmarks.reproduction.sections import search
from tests.reproduction.made import MadeRuns, group, trial, whole


def _runs(chosen: float) -> MadeRuns:
    def stage(name: str, *own: tuple[float, float]) -> Group:
        trials = tuple(
            trial(i, value, {"l2": l2}, valid_accuracy=value, valid_cost=2.0) for i, (l2, value) in enumerate(own)
        )
        return Group(f"n19-search.{name}", trials, group().curves)

    found = {
        "coarse": stage("coarse", (0.005, 0.53), (0.004, 0.54), (0.0001, 0.5)),
        "fine": stage("fine", (0.003, 0.55), (0.002, 0.54), (0.0031, 0.545)),
        "confirm": stage("confirm", (0.005, 0.54)),
        "final": Group("n19-search.final", group(test_moving=[0.53, 0.55]).trials, group().curves),
        "coarse says": {"setup": {"training": {"l2": 0.005}}},
        "confirm says": {"verdict": {"params": {"l2": chosen}, "estimate": 0.54}},
        "final says": {},
    }
    for t in found["final"].trials:  # type: ignore[attr-defined]
        t.params, t.distributions = {"l2": chosen}, trial(0, 0.0, {"l2": chosen}).distributions
    return MadeRuns(n19_search=found)


@pytest.mark.parametrize(("chosen", "drawn"), [(0.005, False), (0.003, True)])
def test_the_files_own_setting_is_marked_as_not_drawn(chosen: float, drawn: bool) -> None:
    text = whole(search.search(_runs(chosen)))
    assert text.count("(the file's own, not drawn)") == 1
    assert "| λ 0.005 (the file's own, not drawn): 53.00 |" in text
    assert ("the file's own and none of the twenty draws" in text) is not drawn
    names = [trace.name for trace in n19.search(_runs(chosen)).data]
    assert names == ["coarse (ours)", "the file's own λ", "fine (ours)", "the best three of N19"]
    assert [trace.name for trace in n19.search_cost(_runs(chosen)).data] == names[:3]


def test_the_highest_of_several_ways_is_said_to_be_picked_by_test() -> None:
    assert "λ 0.005 (the file's own, not drawn) by bnsearch's confirm" in whole(search.final(_runs(0.005)))
    assert "λ 0.003 by bnsearch's confirm" in whole(search.final(_runs(0.003)))
    assert "54.00 ± 1.41 % over 2 seeds is the highest of 1 ways, picked by test" in whole(search.final(_runs(0.003)))
