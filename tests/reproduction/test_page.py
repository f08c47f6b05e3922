"""The page of the two reports: its commands, how figures are written, and what it says of what was not run."""

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.reproduction import page, theirs
from benchmarks.reproduction.experiments import CHECKS, EXPERIMENTS
from benchmarks.reproduction.ours import Runs
from benchmarks.reproduction.pictures import PICTURES
from benchmarks.reproduction.ranking import ranking
from benchmarks.reproduction.spread import numbered, over
from bnsearch.search.study_file import load_study


@pytest.mark.parametrize("quick", [False, True])
def test_every_command_is_of_a_study_that_can_be_loaded(quick: bool) -> None:
    for experiment in EXPERIMENTS:
        command, study, *options = experiment.words(quick)
        overrides = [options[i + 1] for i, option in enumerate(options) if option == "--set"]
        found = load_study(study, overrides)
        assert found.comparison if command == "compare" else found.tables.coarse.space
    for check in CHECKS:
        _, study, *options = check.words()
        load_study(study, [options[i + 1] for i, option in enumerate(options) if option == "--set"])


def test_at_least_five_seeds_of_everything() -> None:
    for experiment in EXPERIMENTS:
        command, study, *_ = experiment.words(False)
        found = load_study(study)
        repeats = found.comparison.repeats if command == "compare" and found.comparison else found.tables.final.repeats
        assert repeats >= 5, study


def test_figures_over_seeds() -> None:
    assert over([0.5, 0.52]).percent() == "51.00 ± 1.41"
    assert over([0.5]).percent(1) == "50.0"
    assert over([1.0, 3.0]).plain(".2f") == "2.00 ± 1.41"


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([3], "3"), ([0, 4], "0, 4"), ([0, 4, 8, 12], "0, 4, … 12"), ([2, 3, 4, 5], "2–5"), ([0, 1, 4, 9], "0, 1, 4, 9")],
)
def test_trial_numbers(numbers: list[int], text: str) -> None:
    assert numbered(numbers) == text


def test_a_ranking_that_all_seeds_share() -> None:
    found = ranking(np.array([[0.3, 0.31, 0.29], [0.5, 0.51, 0.49], [0.4, 0.41, 0.39]]))
    assert found.correlation == pytest.approx(1.0)
    assert found.best == (0, 3, 0)
    assert (found.within, found.between) == pytest.approx((0.01, 0.1))


def test_a_ranking_that_is_noise() -> None:
    found = ranking(np.random.default_rng(0).normal(0.3, 0.02, (12, 40)))
    assert abs(found.correlation) < 0.1
    assert found.between < 0.3 * found.within
    assert found.n_best > 6


@pytest.mark.parametrize(
    ("share", "met"), [(0.3799, False), (0.38, True), (0.42, True), (0.42004, True), (0.4201, False)]
)
def test_a_target_is_met_to_the_precision_that_is_shown(share: float, met: bool) -> None:
    assert theirs.B17_MOVING.met(share) is met


def test_a_page_of_nothing_says_what_to_run(tmp_path: Path) -> None:
    text, lacks = page.write(Runs(tmp_path), [], "")
    assert text.count("not run") == 7
    assert "Missed" not in text
    assert len(lacks) == sum(map(len, page.PARTS.values()))
    for lack in lacks:
        assert re.fullmatch(r"\w+\.\w+: run bnsearch (gradcheck|\S+ [a-z0-9-]+)", lack)


def test_every_picture_of_a_part_can_be_drawn() -> None:
    folder = Path(page.__file__).parent / "sections"
    named = {
        name
        for path in folder.glob("*.py")
        for name in re.findall(r'\(\s*"([bn]1[79]-[a-z-]+)",\s+"', path.read_text())
    }
    assert named == set(PICTURES)
