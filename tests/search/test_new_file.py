"""A study file with other values: what is in it, that it keeps its comments, and what is refused."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnsearch.errors import StudyFileError, UsageError
from bnsearch.search.new_file import check_new, write_study
from bnsearch.search.study_file import apply_override, bundled, load_study
from tests.search.helpers import run, tiny, trials_of, untimed

OVERRIDES = (
    "seed=4",
    "coarse.trials=33",
    "coarse.sampler=sobol",
    "coarse.space.l2.low=1e-6",
    "coarse.space.learning_rate.low=0.005",
    "coarse.space={l2={low=1e-5, high=1e-1}}",
    "coarse.space.momentum={low=0.0, high=0.9, log=false}",
    "fine.rungs=[0.25, 0.5]",
    "fine.space.l2={low=1e-4, high=1e-2}",
    "confirm.repeats=9",
    "final.setting.l2=1e-3",
    "final.setting={learning_rate=0.1}",
    "final.training.batch_size=50",
    "network.hidden=[]",
    "network.init={normal=1e-3}",
    "data.train=[0, 1000]",
)


SEARCHES = sorted(name for name in bundled() if load_study(name).first_command == "run")


@untimed
@given(name=st.sampled_from(SEARCHES), overrides=st.lists(st.sampled_from(OVERRIDES), unique=True, max_size=5))
def test_the_file_is_what_the_overrides_mean(
    name: str, overrides: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("written") / "mine.toml"
    try:
        study = load_study(name, overrides)
    except StudyFileError:  # they do not go together
        return
    write_study(study, overrides, {"coarse.trials": 7}, path)
    expected: dict[str, Any] = tomllib.loads(bundled()[name].read_text(encoding="utf-8"))
    for override in (*overrides, "coarse.trials=7"):
        apply_override(expected, override)
    assert tomllib.loads(path.read_text(encoding="utf-8")) == expected


def test_comments_stay(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    write_study(load_study("cifar10-cyclic"), (), {"coarse.trials": 44, "fine.rungs": [0.5]}, path)
    old, new = (p.read_text(encoding="utf-8").splitlines() for p in (bundled()["cifar10-cyclic"], path))
    assert [line for line in new if line not in old] == ["trials = 44", "rungs = [0.5]"]
    assert [line for line in old if "#" in line] == [line for line in new if "#" in line]


def test_it_runs_and_finds_its_data(tmp_path: Path) -> None:
    """A data path is seen from the file's own folder."""
    rows = "\n".join(f"{i % 7},{(i * i) % 5},{'ab'[i % 2]}" for i in range(400))
    (tmp_path / "rows.csv").write_text(f"x,z,label\n{rows}\n")
    study = tiny(tmp_path, "data.source=rows.csv")
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "elsewhere" / "mine.toml"
    write_study(study, ("data.source=rows.csv",), {"coarse.trials": 2}, path)
    assert load_study(str(path)).base.data.source == "../rows.csv"
    run(load_study(str(path)), "coarse")
    assert len(trials_of(load_study(str(path)), "coarse")) == 2


def test_a_file_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("mine")
    for write in (lambda: check_new(path), lambda: write_study(load_study("digits"), (), {}, path)):
        with pytest.raises(UsageError, match=r"must name a new file, but there is .*mine\.toml already"):
            write()
    assert path.read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["mine.toml"]


@pytest.mark.parametrize("name", ["mine.txt", "mine", "nowhere/mine.toml"])
def test_a_file_that_could_not_be_run_or_written_is_refused_first(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must name a \.toml file in a folder that exists"):
        check_new(tmp_path / name)
