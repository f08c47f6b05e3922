"""Cached data: made once, the right rows, the right numbers, and made anew when a file is damaged."""

import dataclasses
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnsearch.data import digits
from bnsearch.data.dataset import Dataset
from bnsearch.data.part import Part
from bnsearch.data.prepare import DataReference, Recipe, Source, load_transform, open_rows, prepare, write_source
from bnsearch.data.transform import fit_basis, fit_standardization
from bnsearch.errors import DataError

SEARCH = Part((0, 200), (200, 250))


@pytest.fixture(scope="module")
def data() -> Dataset:
    return digits.load()


@pytest.fixture
def source(data: Dataset, tmp_path: Path) -> Source:
    return write_source(data, tmp_path)


def recipe(source: Source, part: Part = SEARCH, standardize: Any = "center", components: float | None = None) -> Recipe:
    return Recipe(source, part, standardize, components, SEARCH)


def times(cache: Path) -> dict[str, int]:
    return {str(p.relative_to(cache)): p.stat().st_mtime_ns for p in cache.rglob("*") if p.is_file()}


def test_a_source_is_the_data_as_they_are(source: Source, data: Dataset) -> None:
    np.testing.assert_array_equal(np.load(source.folder / "X.npy"), data.X)
    np.testing.assert_array_equal(np.load(source.folder / "y.npy"), data.y)
    assert (source.n_rows, source.n_inputs, source.n_classes) == (1437, 64, 10)
    assert (source.unit, source.fingerprint) == (1 / 16, data.fingerprint)


@pytest.mark.parametrize("components", [None, 5, 0.9])
def test_what_is_there_is_used_again(data: Dataset, tmp_path: Path, components: float | None) -> None:
    first = prepare(recipe(write_source(data, tmp_path), components=components), tmp_path)
    before = times(tmp_path)
    assert prepare(recipe(write_source(data, tmp_path), components=components), tmp_path) == first
    assert times(tmp_path) == before


def test_a_cache_may_be_deleted_at_any_time(data: Dataset, tmp_path: Path) -> None:
    made = prepare(recipe(write_source(data, tmp_path), components=5), tmp_path)
    names = sorted(times(tmp_path))
    contents = {name: (tmp_path / name).read_bytes() for name in names if name.endswith(".npy")}
    for name in names:
        (tmp_path / name).unlink()
        assert prepare(recipe(write_source(data, tmp_path), components=5), tmp_path) == made
        if "basis-" not in name:  # needed only to make what is there already
            assert name in times(tmp_path)
    for name in names:
        (tmp_path / name).unlink(missing_ok=True)
    prepare(recipe(write_source(data, tmp_path), components=5), tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in contents} == contents  # bit for bit


def test_different_recipes_do_not_meet_in_the_cache(source: Source, tmp_path: Path) -> None:
    recipes = [
        recipe(source),
        recipe(source, standardize="none"),
        recipe(source, standardize="per-dimension"),
        recipe(source, components=5),
        recipe(source, components=6),
        recipe(source, components=0.5),
        recipe(source, Part((0, 200), (200, 250), 1)),
        recipe(source, Part((0, 200), (200, 250), 1), components=5),
        recipe(source, Part((0, 200), (200, 250), together=True)),
        recipe(source, Part((0, 199), (200, 250))),
        dataclasses.replace(recipe(source, components=5), basis_part=Part((0, 100), (200, 250))),
        dataclasses.replace(recipe(source), source=dataclasses.replace(source, fingerprint="other")),
    ]
    found = [prepare(r, tmp_path) for r in recipes]
    assert len({f.transform for f in found}) == len(recipes)
    assert len({f.inputs for f in found if f.ready}) == sum(r.components is not None for r in recipes)


@pytest.mark.parametrize("standardize", ["none", "center", "per-dimension"])
@pytest.mark.parametrize("roll", [0, 2])
def test_rows_are_standardised_on_the_training_rows_of_their_part(
    source: Source, data: Dataset, tmp_path: Path, standardize: str, roll: int
) -> None:
    part = dataclasses.replace(SEARCH, roll=roll)
    made = prepare(recipe(source, part, standardize), tmp_path)
    assert (made.n_inputs, made.n_dimensions, made.n_classes, made.ready) == (64, 64, 10, False)
    z = data.X / 16.0
    fitted = z[part.rows()[0]]
    if standardize != "none":
        z = z - fitted.mean(axis=0)
    if standardize == "per-dimension":
        std = fitted.std(axis=0)
        assert (std == 0).any()  # the digits have blank corners
        z = z / np.where(std == 0, 1.0, std)
    for rows, at in zip(open_rows(made), part.rows(), strict=True):
        assert len(rows) == len(at)
        x, y = rows.batch(slice(0, len(rows)))
        np.testing.assert_allclose(x, z[at], atol=1e-5)
        np.testing.assert_array_equal(y, data.y[at])
        assert x.dtype == np.float32
        some = np.array([7, 3, 3, 40])
        x, y = rows.batch(some)
        np.testing.assert_allclose(x, z[at[some]], atol=1e-5)
        np.testing.assert_array_equal(y, data.y[at[some]])


@pytest.mark.parametrize(
    "part", [SEARCH, dataclasses.replace(SEARCH, roll=1), dataclasses.replace(SEARCH, together=True)]
)
def test_a_projection_is_what_the_transform_applies(source: Source, data: Dataset, tmp_path: Path, part: Part) -> None:
    made = prepare(recipe(source, part, "per-dimension", 11), tmp_path)
    transform = load_transform(made.transform)
    projected = np.load(made.inputs)
    np.testing.assert_array_equal(projected, transform.apply(data.X))
    assert (made.n_inputs, made.n_dimensions, made.ready) == (11, 64, True)
    for rows, at in zip(open_rows(made), part.rows(), strict=True):
        np.testing.assert_array_equal(rows.batch(slice(0, len(at)))[0], projected[at])


def test_the_rotation_is_fitted_once_on_the_searchs_rows_and_the_scale_on_each_repeats(
    source: Source, data: Dataset, tmp_path: Path
) -> None:
    roll = dataclasses.replace(SEARCH, roll=1)
    search = load_transform(prepare(recipe(source, SEARCH, "per-dimension", 0.9), tmp_path).transform)
    repeat = load_transform(prepare(recipe(source, roll, "per-dimension", 0.9), tmp_path).transform)
    assert search.basis is not None
    assert repeat.basis is not None
    np.testing.assert_array_equal(repeat.basis, search.basis)
    own = fit_standardization(data.X, roll.rows()[0], 1 / 16, "per-dimension")
    np.testing.assert_array_equal(repeat.scale, own.scale)
    np.testing.assert_array_equal(repeat.shift, own.shift)
    assert not np.array_equal(repeat.scale, search.scale)
    of_search = fit_standardization(data.X, SEARCH.rows()[0], 1 / 16, "per-dimension")
    np.testing.assert_array_equal(search.basis, fit_basis(data.X, SEARCH.rows()[0], of_search, 0.9))


def test_a_reference_is_small_and_hashable(source: Source, tmp_path: Path) -> None:
    made = prepare(recipe(source, components=5), tmp_path)
    assert len(pickle.dumps(made)) < 2000
    assert {made: 1}[pickle.loads(pickle.dumps(made))] == 1


def test_rows_are_mapped_and_opened_once(source: Source, tmp_path: Path) -> None:
    made = prepare(recipe(source, components=5), tmp_path)
    train, valid = open_rows(made)
    assert isinstance(train.X, np.memmap)
    assert train.X is valid.X
    assert open_rows(made)[0] is train


@pytest.mark.parametrize("components", [None, 5])
def test_the_next_batch_takes_the_place_of_the_last_ones_inputs(
    source: Source, tmp_path: Path, components: float | None
) -> None:
    rows = open_rows(prepare(recipe(source, components=components), tmp_path))[0]
    some, others = np.array([7, 3, 3, 40]), np.array([1, 2, 0, 9])
    x, y = rows.batch(some)
    was = x.copy(), y.copy()

    nx, ny = rows.batch(others)

    np.testing.assert_array_equal(x, nx)
    np.testing.assert_array_equal(y, was[1])  # labels are each batch's own
    assert not np.array_equal(x, was[0])
    np.testing.assert_array_equal(rows.batch(some)[0], was[0])
    assert not np.array_equal(y, ny)


@pytest.mark.parametrize("components", [None, 5])
@pytest.mark.parametrize("another", ["size", "part", "thread"])
def test_a_batch_of_another_size_part_or_thread_leaves_it_alone(
    source: Source, tmp_path: Path, another: str, components: float | None
) -> None:
    train, valid = open_rows(prepare(recipe(source, components=components), tmp_path))
    x, _ = train.batch(np.array([7, 3, 3, 40]))
    before = x.copy()
    if another == "size":
        train.batch(slice(0, 3))
    elif another == "part":
        valid.batch(np.array([0, 1, 2, 3]))
    else:  # two trials of `optimize(…, n_jobs=2)` share their rows
        with ThreadPoolExecutor(1) as pool:
            pool.submit(train.batch, np.array([0, 1, 2, 3])).result()
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("components", [None, 5])
def test_inputs_are_one_block_of_memory_and_never_the_data_themselves(
    source: Source, tmp_path: Path, components: float | None
) -> None:
    rows = open_rows(prepare(recipe(source, components=components), tmp_path))[0]
    for at in (slice(0, 3), slice(5, 8), np.array([7, 3, 3, 40]), slice(0, 0)):
        x, y = rows.batch(at)
        assert x.flags.c_contiguous
        assert x.flags.writeable
        assert x.dtype == np.float32
        assert x.shape == (len(y), components or 64)
        assert not np.shares_memory(x, rows.X)


# ---- damage


def flip(content: bytes, at: int = -1) -> bytes:
    spoilt = bytearray(content)
    spoilt[at] ^= 0xFF
    return bytes(spoilt)


SPOILS: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "other": lambda content: b"something else " * 20,
    "a header that is no Python": lambda content: content.replace(b"{'descr'", b"(((((((", 1),
    "a header only": lambda content: content[:9],
    "a number": flip,
}


def made_anew(data: Dataset, cache: Path, part: Part = SEARCH) -> DataReference:
    open_rows.cache_clear()  # as in a new process
    made = prepare(recipe(write_source(data, cache), part, "per-dimension", 5), cache)
    for rows in open_rows(made):
        rows.batch(slice(0, 3))
    return made


def files_of(made: DataReference) -> dict[str, Path]:
    (basis,) = made.transform.parent.glob("basis-*.npy")
    files = {"X.npy": made.labels.with_name("X.npy"), "y.npy": made.labels}
    return files | {"transform": made.transform, "projected": made.inputs, "basis": basis}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
@pytest.mark.parametrize("file", ["X.npy", "y.npy", "transform", "projected", "basis"])
def test_a_damaged_file_is_made_anew(data: Dataset, tmp_path: Path, file: str, spoil: Callable[[bytes], bytes]) -> None:
    """A file with another number in it was once taken for what it should be."""
    path = files_of(made_anew(data, tmp_path))[file]
    whole = path.read_bytes()
    path.write_bytes(spoil(whole))
    part = dataclasses.replace(SEARCH, roll=1) if file == "basis" else SEARCH  # the basis is read to make another part
    made_anew(data, tmp_path, part)
    assert path.read_bytes() == whole


def test_rows_of_other_data_are_not_taken_for_these(data: Dataset, tmp_path: Path) -> None:
    folder = write_source(data, tmp_path).folder
    for name, other in [("X.npy", data.X[::-1]), ("X.npy", data.X.astype(np.float32)), ("y.npy", data.y[:-1])]:
        np.save(folder / name, other)
        write_source(data, tmp_path)
        np.testing.assert_array_equal(np.load(folder / "X.npy"), data.X)
        np.testing.assert_array_equal(np.load(folder / "y.npy"), data.y)
        assert np.load(folder / "X.npy").dtype == data.X.dtype


def test_a_lost_or_damaged_checksum_costs_no_more_than_time(data: Dataset, tmp_path: Path) -> None:
    path = made_anew(data, tmp_path).inputs
    whole, checksum = path.read_bytes(), path.with_name(f"{path.name}.sha256")
    right = checksum.read_text()
    for content in (b"", b"\xff", right[:-1].encode()):
        checksum.write_bytes(content)
        made_anew(data, tmp_path)
        assert (path.read_bytes(), checksum.read_text()) == (whole, right)


@pytest.mark.parametrize("spoil", [s for name, s in SPOILS.items() if name != "a number"])
@pytest.mark.parametrize("file", ["y.npy", "transform", "projected"])
def test_a_file_that_is_damaged_in_the_middle_of_a_run_is_named(
    data: Dataset, tmp_path: Path, file: str, spoil: Callable[[bytes], bytes]
) -> None:
    made = made_anew(data, tmp_path)
    path = files_of(made)[file]
    path.write_bytes(spoil(path.read_bytes()))
    open_rows.cache_clear()
    with pytest.raises(DataError, match=r"must be whole, but: .*Run again: it is made anew") as caught:
        open_rows(dataclasses.replace(made, ready=file != "transform"))
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_flipped_byte_of_a_small_transform_is_noticed_or_harmless(data: Dataset, tmp_path: Path) -> None:
    made = prepare(recipe(write_source(data, tmp_path), standardize="none"), tmp_path)
    whole, expected = made.transform.read_bytes(), load_transform(made.transform)
    for at in range(0, len(whole), 5):
        made.transform.write_bytes(flip(whole, at))
        try:
            found = load_transform(made.transform)
        except DataError:
            continue
        np.testing.assert_array_equal(found.scale, expected.scale)
        np.testing.assert_array_equal(found.shift, expected.shift)
        assert found.basis is None


def test_a_cache_that_cannot_be_written_is_named(data: Dataset, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    with pytest.raises(DataError, match=r"cache folder .* must be writable, but: .* Set BNSEARCH_CACHE"):
        write_source(data, tmp_path / "cache")


def test_no_half_written_file_is_left(data: Dataset, tmp_path: Path) -> None:
    made_anew(data, tmp_path)
    assert {p.suffix for p in tmp_path.rglob("*") if p.is_file()} == {".npy", ".npz", ".sha256"}
    assert not [p for p in tmp_path.rglob("tmp*")]
