"""Colours can be told from the page, and each has a dark one of its own."""

import re
from dataclasses import astuple

import pytest

from bnsearch.report.colours import CYCLE, DARK, LIGHT, SCALE, STAGES, Colours, blend, contrast, dark_for_light, of

TEXT = ("ink", "muted", "coarse", "fine", "fine2", "confirm", "final", "best", "second", "third", "fourth", "bad")


def test_every_light_colour_means_one_thing() -> None:
    assert len(set(astuple(LIGHT))) == len(astuple(LIGHT)) == len(dark_for_light())
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in (*astuple(LIGHT), *astuple(DARK)))
    assert dark_for_light()[LIGHT.ink] == DARK.ink
    assert {*CYCLE, *(of(stage) for stage in STAGES), *(colour for _, colour in SCALE)} <= set(astuple(LIGHT))


def test_no_selected_trial_has_the_colour_of_a_stage() -> None:
    """The first two were taken for coarse and fine."""
    assert len(set(CYCLE)) == len(CYCLE)
    assert not set(CYCLE) & {of(stage) for stage in STAGES}


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ffffff", "#ffffff") == 1.0


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("role", TEXT)
def test_text_is_readable(colours: Colours, role: str) -> None:
    for behind in (colours.paper, colours.panel):
        assert contrast(getattr(colours, role), behind) >= 4.5


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_marks_that_are_no_text_stand_out_too(colours: Colours) -> None:
    assert contrast(colours.stopped, colours.paper) >= 3.0


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_numbers_are_readable_on_the_whole_scale(colours: Colours) -> None:
    assert [blend(share, colours) for share in (0.0, 0.5, 1.0)] == [colours.low, colours.middle, colours.high]
    for percent in range(101):
        on = colours.on_high if percent >= 50 else colours.on_low
        assert contrast(on, blend(percent / 100, colours)) >= 4.5
