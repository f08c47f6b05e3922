"""A study's answer for programs."""

import json

from bnsearch.report.answer import answer
from bnsearch.report.findings import with_findings
from tests.report.rows import COARSE, CONFIRM, FINAL, FINE, RESULT


def test_answer_is_the_result_with_where_it_lies_and_how_it_came_about() -> None:
    found = answer("mine", with_findings([COARSE, FINE, CONFIRM, FINAL]), "sqlite:///mine.db")
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert {key: found[key] for key in RESULT} == RESULT
    assert found["study"] == "mine"
    assert found["database"] == "sqlite:///mine.db"
    assert [stage["stage"] for stage in found["stages"]] == ["coarse", "fine", "confirm", "final"]
    assert found["stages"][0]["verdict"] == COARSE["verdict"]
    assert found["stages"][0]["findings"][0].startswith("Coarse: 24 trials in ")
    assert all(isinstance(text, str) for stage in found["stages"] for text in stage["findings"])
