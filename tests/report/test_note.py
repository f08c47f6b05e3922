"""The note of a stage tells what it is, what it found and how to go on."""

from pathlib import Path
from typing import Any

import pytest

from bnsearch.report.findings import findings, grouped
from bnsearch.report.note import _what, note, trial_note
from bnsearch.search.artifacts import BestTrial
from bnsearch.search.study_file import Study, load_study
from tests.helpers import TINY
from tests.report.rows import COARSE, CONFIRM, FINAL, FINE, FINE2, Row, changed


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(TINY)
    return load_study("mine.toml")


ATTRS: dict[str, Any] = {
    "setup": {
        "data": {"source": "digits"},
        "network": {"hidden": [50, 30], "batch_norm": "affine"},
        "training": {"epochs": 20, "schedule": {"kind": "cosine"}},
    },
    "task": {"sampler": "sobol"},
    "seed": 6,
    "version": "0.1.0",
    "revision": None,
    "data_fingerprint": "0123456789abcdef",
}


@pytest.mark.parametrize("row", [COARSE, FINE, FINE2, CONFIRM, FINAL], ids=lambda row: row["stage"])
def test_all_findings_are_in_it(study: Study, row: Row) -> None:
    text = note(study, row, ATTRS, None).replace("\\", "")
    assert text.startswith(f"## {row['study']}: ")
    for label, found in grouped(findings(row)):
        assert f"- {label}: {found[0]}\n" in text
        assert all(f"- {sentence}\n" in text for sentence in found[1:])
    assert "seed 6; data `digits`, fingerprint `0123456789ab`; made with bnsearch 0.1.0." in text


def test_what_a_trial_is(study: Study) -> None:
    text = note(study, COARSE, ATTRS, None)
    assert "24 trials, settings spread evenly (scrambled Sobol). A trial is a network of 50-30 hidden units" in text
    assert "batch-normalised, 20 epochs of a cosine schedule; its value is the validation accuracy" in text
    setup = {
        "data": {"source": "digits"},
        "network": {"hidden": [], "batch_norm": "none"},
        "training": {"epochs": None, "schedule": {"kind": "cyclic", "cycles": 2}},
    }
    other = note(study, COARSE, ATTRS | {"setup": setup}, None)
    assert "no hidden units, without batch normalisation, 2 cycles of a cyclic schedule" in other


def test_a_sentence_is_not_broken_in_two(study: Study) -> None:
    """Lines that go on in the next, as a terminal has them, were two bullets."""
    bullets = [line for line in note(study, FINAL, ATTRS, None).splitlines() if line.startswith("- ")]
    assert not [line for line in bullets if line.endswith(",")]
    assert any("over new images, " in line and "over seeds" in line for line in bullets)


def test_the_length_of_a_network_that_keeps_its_steps_on_more_rows(study: Study) -> None:
    """It was said to be trained for the epochs of the search, though it takes fewer."""
    kept = note(study, FINAL, ATTRS | {"budget": {"n_steps": 1460, "epoch_steps": 88}}, None)
    assert "batch-normalised, 1,460 steps of a cosine schedule" in kept
    whole = note(study, FINAL, ATTRS | {"budget": {"n_steps": 1460, "epoch_steps": 73}}, None)
    assert "batch-normalised, 20 epochs of a cosine schedule" in whole
    variants = _what(changed(COARSE, stage="compare"), ATTRS | {"budget": {"n_steps": 4380, "epoch_steps": 73}})
    assert "batch-normalised, 20 epochs of a cosine schedule" in variants, "the budget is that of the longest"


def test_the_space(study: Study) -> None:
    text = note(study, COARSE, ATTRS, None)
    assert "| λ (`l2`) | 1e-06 … 0.1, logarithmic |" in text
    assert "| η (`learning_rate`) | 0.001 … 1, logarithmic |" in text
    grid = note(study, changed(COARSE, space={"momentum": [0.5, 0.9]}), ATTRS, None)
    assert "| `momentum` | {0.5, 0.9} |" in grid


def test_where_it_comes_from(study: Study) -> None:
    parent = {"study": "mine.coarse", "tied": [4, 0, 16], "n_within": 3, "n_trials": 24}
    assert "computed around trials 4, 0, 16 of `mine.coarse`." in note(study, changed(FINE, parent=parent), ATTRS, None)
    more = parent | {"tied": [4], "n_within": 9}
    found = note(study, changed(FINE, parent=more), ATTRS, None)
    assert "around trial 4 of `mine.coarse`, the best of 9 that it cannot tell apart." in found
    assert "It goes on from `mine.fine`." in note(study, CONFIRM, ATTRS, None)


def test_finalists_as_a_table(study: Study) -> None:
    text = note(study, CONFIRM, ATTRS, None)
    assert "| finalist | λ (`l2`) | η (`learning_rate`) | `momentum` | mean | points behind | verdict |" in text
    assert "| fine 30 | 0.00167 | 0.291 | 0.9 | 98.50 % |  | **chosen** |" in text
    assert "| default | 0.00333 | 0.291 | 0.9 | 98.30 % | 0.20 | tied |" in text


@pytest.mark.parametrize(
    ("row", "command"),
    [
        (COARSE, "`bnsearch coarse mine.toml --trials 48` adds"),
        (COARSE, "`bnsearch fine mine.toml` is the next stage"),
        (COARSE, "`bnsearch show mine.toml coarse-4`"),
        (FINE2, "`bnsearch fine mine.toml --trials 48` adds"),
        (FINE2, "`bnsearch reset mine.toml --from fine`"),
        (FINE, "`bnsearch confirm mine.toml` is the next stage"),
        (CONFIRM, "`bnsearch confirm mine.toml --repeats 10` adds"),
        (FINAL, "`bnsearch report mine.toml` makes"),
        (FINAL, "[the same page](/report/mine)"),
    ],
)
def test_how_to_go_on(study: Study, row: Row, command: str) -> None:
    assert command in note(study, row, ATTRS, None)


def test_a_stage_under_way_is_followed_first(study: Study) -> None:
    text = note(study, changed(COARSE, trials__complete=3, trials__running=21), ATTRS, None)
    assert "`bnsearch status mine.toml --follow` shows it while it runs" in text
    assert "is the next stage" not in text


def test_pictures(study: Study) -> None:
    assert "![Learning curves of the first of its best trials](/artifacts/1/2/a-1)" in note(
        study, COARSE, ATTRS, "/artifacts/1/2/a-1"
    )
    assert "![" not in note(study, COARSE, ATTRS, None)
    best = BestTrial("coarse", 4, 5, {"l2": 0.1}, 0.9)
    assert trial_note(study, best, "/artifacts/1/5/a-1") == (
        "![Learning curves of coarse 4](/artifacts/1/5/a-1)\n\n"
        "`bnsearch show mine.toml coarse-4` prints this trial in full.\n"
    )


def test_what_markdown_would_take_for_a_mark_of_its_own(study: Study) -> None:
    row = changed(COARSE, stale="a*b_c has grown: `bnsearch reset a*b_c`")
    assert "a\\*b\\_c has grown" in note(study, row, ATTRS, None)
