"""Learning curves as the files hold them."""

from pathlib import Path

import numpy as np

from bnsearch.report.curves import MOST, read_curves
from bnsearch.report.multiples import multiples
from tests.report.made import COARSE_TRIALS, FINE_TRIALS, curve

WHOLE = "epoch,step,learning_rate,train_accuracy,valid_accuracy\n1,2,0.1,0.5,0.4\n2,4,0.1,inf,0.6\n"


def written(folder: Path, text: str, name: str = "coarse-00000") -> Path:
    (folder / "curves").mkdir(exist_ok=True)
    (folder / "curves" / f"{name}.csv").write_text(text)
    return folder


def test_a_curve_is_read_by_its_trial(tmp_path: Path) -> None:
    (found,) = read_curves(written(tmp_path, WHOLE), COARSE_TRIALS)
    assert found.trial is COARSE_TRIALS[0]
    assert found.step.tolist() == [2, 4]
    assert list(found.figures) == ["learning_rate", "train_accuracy", "valid_accuracy"]
    assert found.figures["valid_accuracy"].tolist() == [0.4, 0.6]
    np.testing.assert_array_equal(found.figures["train_accuracy"], [0.5, np.nan])
    assert (found.at_end("valid_accuracy"), found.at_end("train_accuracy"), found.at_end("other")) == (0.6, None, None)


def test_files_that_are_gone_or_damaged_are_passed_over(tmp_path: Path) -> None:
    for text in ("", "epoch,step\n", "epoch,step\n1\n", "epoch,step\n1,many\n", "a,b\n1,2\n", "\0", "\0" * 200_000):
        assert read_curves(written(tmp_path, text), COARSE_TRIALS) == []
    assert read_curves(tmp_path / "nowhere", COARSE_TRIALS) == []


def test_very_long_curves_are_thinned_but_keep_their_ends(tmp_path: Path) -> None:
    lines = [f"{i},{2 * i},0.1,0.5,0.4" for i in range(1, 5001)]
    (found,) = read_curves(written(tmp_path, "\n".join([WHOLE.partition("\n")[0], *lines])), COARSE_TRIALS)
    assert len(found.step) == MOST
    assert (found.step[0], found.step[-1]) == (2, 10_000)


def test_small_multiples_share_their_scales_and_tell_selected_ones() -> None:
    long = curve(FINE_TRIALS[0], valid_accuracy=[0.0, 0.5, 1.0, 1.0])
    short = curve(FINE_TRIALS[1], valid_accuracy=[0.0, np.nan, 1.0], train_accuracy=[0.0, 0.0, 0.5])
    stopped = curve(COARSE_TRIALS[1], valid_accuracy=[0.0, 0.5])
    first, second, third = multiples([long, short, stopped], ["fine 0"])
    assert (first.label, first.selected, first.state) == ("fine 0", True, "complete")
    assert (second.label, second.selected, second.state) == ("fine 1", False, "complete")
    assert (third.label, third.selected, third.state) == ("coarse 1", False, "pruned")
    assert first.valid == "M25.0 50.0L50.0 25.0L75.0 0.0L100.0 0.0"
    assert second.valid == "M25.0 50.0M75.0 0.0", "a gap where there is no figure"
    assert (first.train, second.train) == ("", "M25.0 50.0L50.0 50.0L75.0 25.0")
    assert third.valid == "M50.0 50.0L100.0 25.0", "on its own stage's scale of steps: one for all made it a speck"
    assert "50.00 %, stopped" in third.line
    assert "λ = 1e-05" in third.title
    assert multiples([], []) == []
