"""Twelve real commands started together; and different studies in one database at the same time."""

from pathlib import Path

import pytest

from tests.soak.hazard import Figures
from tests.soak.together import one_study, side_by_side

pytestmark = pytest.mark.slow


def test_of_twelve_commands_on_a_fresh_database_one_runs_and_the_others_name_it(tmp_path: Path) -> None:
    figures = Figures("twelve")
    assert one_study(tmp_path / "study", figures) > 0
    assert not figures.failures


def test_different_studies_in_one_database_do_not_meet(tmp_path: Path) -> None:
    figures = Figures("side by side")
    side_by_side(tmp_path, figures)
    assert not figures.failures
