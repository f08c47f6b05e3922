"""The most confidently wrong test images are kept while the test set is open."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bnsearch.data import digits
from bnsearch.errors import ModelError
from bnsearch.model import load_model
from bnsearch.search.mistakes import NAME, load_mistakes, most_confident, save_mistakes
from bnsearch.search.stages import reset
from bnsearch.search.study_file import Study
from tests.search.helpers import attrs_of, run, stored, tiny

X = np.arange(12, dtype=np.uint8).reshape(4, 3)
Y = np.array([0, 1, 1, 0])
P = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])  # wrong in all rows but the first


def test_the_most_confident_come_first_and_the_right_ones_not_at_all() -> None:
    found = most_confident(X, Y, P, (3,), 1.0)
    assert found.rows.tolist() == [3, 2, 1]
    assert found.X.tolist() == X[[3, 2, 1]].tolist()
    assert (found.y.tolist(), found.predicted.tolist()) == ([0, 1, 1], [1, 0, 0])
    assert found.confidence.tolist() == [0.8, 0.7, 0.6]
    assert found.of_truth.tolist() == [0.2, 0.3, 0.4]
    assert (found.n_wrong, found.n_test) == (3, 4)


def test_no_more_than_asked_for_and_none_where_all_are_right() -> None:
    few = most_confident(X, Y, P, (3,), 1.0, n=1)
    assert (few.rows.tolist(), few.n_wrong) == ([3], 3)
    none = most_confident(X, P.argmax(axis=1), P, (3,), 1.0)
    assert (len(none.rows), none.n_wrong) == (0, 0)


def test_saved_and_loaded(tmp_path: Path) -> None:
    path = tmp_path / "new" / NAME
    assert load_mistakes(path) is None
    mine = most_confident(X, Y, P, (1, 3), 0.5)
    save_mistakes(mine, path)
    found = load_mistakes(path)
    assert found is not None
    for name, value in vars(mine).items():
        np.testing.assert_array_equal(getattr(found, name), value, strict=isinstance(value, np.ndarray))
    assert [p.name for p in path.parent.iterdir()] == [NAME], "no temporary file is left"


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / NAME
    save_mistakes(most_confident(X, Y, P, (3,), 1.0), path)
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1]), b"", b"garbage"):
        path.write_bytes(damaged)
        with pytest.raises(ModelError, match=r"mistakes\.safetensors must be"):
            load_mistakes(path)
    path.write_bytes(whole)
    save_file(load_file(path), path)  # the same arrays, written by another program
    with pytest.raises(ModelError, match="must be what `bnsearch final` wrote"):
        load_mistakes(path)


def test_final_keeps_those_of_all_networks_together(finished: Path) -> None:
    """Also of those that were tested at an earlier look."""
    study = tiny(finished, "final.repeats=3")
    for n in (2, 3):
        x, y = digits.load().read_test()
        models = [load_model(study.results / path) for path in attrs_of(study, "final")["result"]["models"]]
        assert len(models) == n
        expected = most_confident(x, y, np.mean([m.probabilities(x) for m in models], axis=0), (8, 8), 1 / 16)
        found = load_mistakes(study.results / NAME)
        assert found is not None
        assert found.n_wrong > 0
        for name, value in vars(expected).items():
            np.testing.assert_array_equal(getattr(found, name), value)
        run(study, "final")


def test_the_models_know_the_form_of_an_image(whole: Study) -> None:
    assert load_model(whole.results / "models" / "final-1.safetensors").metadata["image_shape"] == [8, 8]


def test_a_reset_of_final_removes_them(finished: Path) -> None:
    study = tiny(finished)
    assert (study.results / NAME).exists()
    with stored(study) as store:
        reset(study, store, "final")
    assert not (study.results / NAME).exists()


def test_rows_that_are_no_images_are_not_kept(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "own.npz", X=rng.normal(size=(400, 5)), y=np.arange(400) % 3)
    study = tiny(tmp_path, "data.source=own.npz", "data.standardize=none", "final.setting={}", "training.epochs=1")
    assert run(study, "final") == [True]
    assert not (study.results / NAME).exists()
    assert load_model(study.results / "models" / "final-1.safetensors").metadata["image_shape"] is None
