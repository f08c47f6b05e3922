"""What cannot be done is refused in one line that says why, with exit code 2, and leaves nothing behind."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bnsearch.cli import main
from tests.cli.helpers import COMMAND, answer, invoke, program, written
from tests.helpers import LEVEL, changed

pytestmark = pytest.mark.usefixtures("folder")

Refusal = Callable[..., str]


def only_line(exit_code: int, stdout: str, stderr: str) -> str:
    """The last line of stderr; before it nothing but progress may stand."""
    *progress, line = stderr.splitlines()
    assert exit_code == 2
    assert stdout == ""
    assert line.startswith("bnsearch: ")
    assert all(earlier.endswith(" ...") or ": done in " in earlier for earlier in progress), stderr
    return line


@pytest.fixture
def refusal(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Refusal:
    """Call `main` as the program does, in this process; the line on stderr. The folder must stay as it was."""

    def call(*arguments: str) -> str:
        before = written(Path())
        monkeypatch.setattr(sys, "argv", ["bnsearch", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert written(Path()) == before
        assert isinstance(stopped.value.code, int)
        return only_line(stopped.value.code, *capfd.readouterr())

    return call


def of_program(folder: Path, *arguments: str, **environment: str) -> str:
    """The same of a real process."""
    before = written(folder)
    result = program(*arguments, folder=folder, **environment)
    assert written(folder) == before
    return only_line(result.returncode, result.stdout, result.stderr)


WHOLE_COMMANDS = [
    "coarse tiny.toml",
    "status tiny.toml",
    "status tiny.toml --follow",
    "show tiny.toml coarse-0",
    "dashboard tiny.toml",
    "reset tiny.toml --from coarse",
]
ODD_NAMES = ["", "a b*", "ä☃", "a\nb", "..", "../x", "$(id)", "x.toml", "coarse.l2", "-"]
MISTAKES = {
    "run nope": "Unknown study 'nope'",
    "run a/b.toml": "a/b.toml",
    "run tiny.toml --set training.epoch=3": "unknown key `training.epoch`; did you mean `epochs`?",
    "run tiny.toml --set colour=3": "unknown key `colour`",
    "coarse tiny.toml --set training.epochs=many": "`training.epochs` must be a whole number, but got 'many'",
    "coarse tiny.toml --set training.epochs": "section.key=value",
    "coarse tiny.toml --set coarse.space.l2.low=0.5": "`low < high` must hold, but got low = 0.5, high = 0.1",
    "coarse tiny.toml --trials 0": "'--trials': 0",
    "coarse tiny.toml --trials many": "'--trials': 'many'",
    "confirm tiny.toml --repeats 1": "'--repeats': 1",
    "coarse tiny.toml --workers 0": "'--workers': 0",
    "coarse tiny.toml --seed -1": "'--seed': -1",
    "coarse": "Missing argument 'STUDY'",
    "walk tiny.toml": "No such command 'walk'",
    "reset tiny.toml": "Missing option '--from'",
    "reset tiny.toml --from middle": "'middle' is not one of 'coarse', 'fine', 'confirm', 'final'",
    "coarse tiny.toml --storage nonsense": "sqlite:///studies/digits.db, but got 'nonsense'",
    "status tiny.toml --storage nonsense": "sqlite:///studies/digits.db, but got 'nonsense'",
    "report nope": "Unknown study 'nope'",
    "report tiny.toml": "before there is anything to report, but has not: run `bnsearch run tiny.toml`",
    "report tiny.toml -o other.html": "must have been run",
    "report tiny.toml --storage nonsense": "sqlite:///studies/digits.db, but got 'nonsense'",
    "dashboard tiny.toml --storage nonsense": "sqlite:///studies/digits.db, but got 'nonsense'",
    "dashboard tiny.toml": "tiny.toml has no database tiny.db: run `bnsearch run tiny.toml` first",
    "dashboard": "there is no database in studies",
    "dashboard nope": "Unknown study 'nope'",
    "dashboard tiny.toml --port 70000": "'--port': 70000",
    "dashboard --storage sqlite:///tiny.db": "With --storage a study must be named",
    "show tiny.toml coarse-0": "tiny.coarse must have been run",
    "show tiny.toml 4": "TRIAL must be a stage and a number, such as coarse-4",
    "show tiny.toml": "Missing argument 'TRIAL'",
    "coarse tiny.toml --set data.source=nowhere.csv": "nowhere.csv",
    "coarse tiny.toml --set data.source=digits.txt": "digits.txt",
    "coarse tiny.toml --set data.train=[0,5000] --set data.valid=[5000,6000]": "1437 training rows",
    "coarse tiny.toml --set training.batch_size=500": "`training.batch_size`",
}


@pytest.mark.parametrize("command", MISTAKES)
def test_mistakes_in_a_command(refusal: Refusal, command: str) -> None:
    assert MISTAKES[command] in refusal(*command.split())


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("command", ["run", "status"])
def test_odd_names_of_studies(refusal: Refusal, command: str, name: str) -> None:
    refusal(command, name)


@pytest.mark.parametrize("command", ["run nope", "coarse tiny.toml --trials 0", "run tiny.toml --set training.epoch=3"])
def test_mistakes_as_a_process(folder: Path, command: str) -> None:
    assert MISTAKES[command] in of_program(folder, *command.split())


def test_nothing_asked_shows_the_help(folder: Path) -> None:
    result = program(folder=folder)
    assert result.returncode == 2
    assert result.stdout == ""
    assert "Commands:" in result.stderr


def test_a_study_file_that_is_no_toml(refusal: Refusal) -> None:
    Path("bad.toml").write_text("[data\nsource")
    assert "bad.toml must be a readable TOML file" in refusal("run", "bad.toml")
    Path("binary.toml").write_bytes(bytes(range(256)))
    assert "binary.toml must be a readable TOML file" in refusal("run", "binary.toml")


@pytest.mark.parametrize(("stage", "first"), [("fine", "coarse"), ("confirm", "fine"), ("final", "fine")])
def test_a_stage_without_the_one_before_names_the_command_to_run(refusal: Refusal, stage: str, first: str) -> None:
    line = refusal(stage, "tiny.toml")
    assert f"`bnsearch {first} tiny.toml`" in line, "as the study was called, so that the command works"


def test_a_stage_without_the_one_before_as_a_process(folder: Path) -> None:
    assert "run `bnsearch coarse tiny.toml` first" in of_program(folder, "fine", "tiny.toml")


def test_confirm_without_fine_leaves_coarse_as_it_is(refusal: Refusal) -> None:
    invoke("coarse", "tiny.toml", "--trials", "1", "--workers", "1")
    before = answer("status", "tiny.toml")
    assert "`bnsearch fine tiny.toml`" in refusal("confirm", "tiny.toml")
    assert answer("status", "tiny.toml") == before


def test_a_key_that_changed_is_named_with_the_remedy(finished: Path, refusal: Refusal) -> None:
    before = answer("status", "tiny.toml")
    line = refusal("run", "tiny.toml", "--set", "training.epochs=3")
    assert "`training.epochs` must stay" in line
    assert "(2)" in line
    assert "is now 3" in line
    assert "bnsearch reset tiny.toml --from coarse" in line
    assert answer("status", "tiny.toml") == before


def test_a_seed_that_changed(finished: Path, refusal: Refusal) -> None:
    assert "`seed` must stay" in refusal("coarse", "tiny.toml", "--seed", "5")


@pytest.mark.parametrize("stage", ["coarse", "final"])
def test_reset_of_a_stage_that_is_not_there(refusal: Refusal, stage: str) -> None:
    assert f"nothing from {stage} on" in refusal("reset", "tiny.toml", "--from", stage)


def test_no_cifar10_where_the_data_folder_is_said_to_be(refusal: Refusal) -> None:
    line = refusal("coarse", "tiny.toml", "--set", "data.source=cifar10", "--data-dir", "elsewhere")
    assert "elsewhere" in line


def test_a_batch_file_that_is_short(refusal: Refusal) -> None:
    data = Path("elsewhere") / "cifar-10-batches-py"
    data.mkdir(parents=True)
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        (data / name).write_bytes(b"short")
    line = refusal("coarse", "tiny.toml", "--set", "data.source=cifar10", "--data-dir", "elsewhere")
    assert f"{data}/data_batch_1" in line
    assert "has only 5 bytes" in line


def test_a_batch_file_that_is_missing(refusal: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("elsewhere").mkdir()
    Path("elsewhere/data_batch_1").write_bytes(b"")
    monkeypatch.setenv("BNSEARCH_DATA", "elsewhere")
    assert "elsewhere/data_batch_1" in refusal("coarse", "tiny.toml", "--set", "data.source=cifar10")


def test_no_cifar10_as_a_process(folder: Path) -> None:
    study = ("coarse", "tiny.toml", "--set", "data.source=cifar10")
    assert "elsewhere" in of_program(folder, *study, "--data-dir", "elsewhere")


X, y = np.zeros((300, 4), np.float32), np.arange(300) % 3
ARCHIVES = {
    "complex numbers": ({"X": X.astype(complex), "y": y}, "complex128"),
    "text": ({"X": X.astype(str), "y": y}, "real numbers"),
    "labels that are fractions": ({"X": X, "y": y / 2}, "whole numbers or text, but got float64"),
    "too few labels": ({"X": X, "y": y[1:]}, "(299,)"),
    "no labels": ({"X": X}, "'X'"),
    "one class": ({"X": X, "y": 0 * y}, "at least 2 classes"),
    "infinite": ({"X": np.where(np.arange(300)[:, None] == 7, np.inf, X), "y": y}, "row 8"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_wrong_archive(refusal: Refusal, name: str) -> None:
    arrays, words = ARCHIVES[name]
    np.savez("mine.npz", allow_pickle=False, **arrays)
    line = refusal("coarse", "tiny.toml", "--set", "data.source=mine.npz")
    assert "mine.npz" in line
    assert words in line


def table(*changes: tuple[int, str]) -> str:
    lines = ["height,width,kind", *(f"{i}.5,{i % 7},{'ab'[i % 2]}" for i in range(300))]
    for row, line in changes:
        lines[row] = line
    return "\n".join(lines) + "\n"


def test_a_value_that_is_missing_in_a_table_is_named_by_column_and_row(refusal: Refusal) -> None:
    Path("mine.csv").write_text(table((5, "4.5,,a")))
    line = refusal("coarse", "tiny.toml", "--set", "data.source=mine.csv", "--set", "data.label=kind")
    assert "column 'width' has nan in row 5" in line


def test_a_label_column_that_is_not_there(refusal: Refusal) -> None:
    Path("mine.csv").write_text(table())
    line = refusal("coarse", "tiny.toml", "--set", "data.source=mine.csv")
    assert "'label'" in line
    assert "'height', 'width', 'kind'" in line


def test_results_where_no_folder_can_be(refusal: Refusal) -> None:
    """Even root cannot write below a regular file."""
    Path("studies").write_text("a file")
    assert "studies must be a writable folder" in refusal("coarse", "digits")
    assert "there is no folder studies" in refusal("coarse", "tiny.toml", "--storage", "sqlite:///studies/x.db")


@pytest.mark.parametrize("command", WHOLE_COMMANDS)
def test_a_database_in_a_folder_that_is_not_there(refusal: Refusal, command: str) -> None:
    """A mistyped address once made all its folders."""
    line = refusal(*command.split(), "--storage", "sqlite:///studeis/deep/x.db")
    assert "--storage must name a file in a folder that exists, but there is no folder studeis/deep" in line


def test_a_cache_where_no_folder_can_be_is_found_out_before_a_database_is_made(
    refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNSEARCH_CACHE", "tiny.toml/cache")
    assert "Set BNSEARCH_CACHE to use another folder" in refusal("coarse", "tiny.toml")


def test_a_cache_where_no_folder_can_be(refusal: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    invoke("coarse", "tiny.toml", "--trials", "1", "--workers", "1")
    monkeypatch.setenv("BNSEARCH_CACHE", "tiny.toml/cache")
    assert "Set BNSEARCH_CACHE to use another folder" in refusal("coarse", "tiny.toml", "--trials", "2")


GARBAGE = b"SQLite format 4\0" + bytes(5000)


@pytest.mark.parametrize("command", ["coarse", "fine", "run", "status", "dashboard"])
def test_a_database_that_is_none(refusal: Refusal, command: str) -> None:
    Path("tiny.db").write_bytes(GARBAGE)
    assert "tiny.db must be an SQLite database" in refusal(command, "tiny.toml")
    assert Path("tiny.db").read_bytes() == GARBAGE


def test_a_database_that_is_none_as_a_process(folder: Path) -> None:
    (folder / "tiny.db").write_bytes(GARBAGE)
    assert "tiny.db must be an SQLite database" in of_program(folder, "coarse", "tiny.toml")


@pytest.mark.parametrize("statement", ["CREATE TABLE studies (recipe INT)", "CREATE TABLE recipes (study_id INT)"])
@pytest.mark.parametrize("command", WHOLE_COMMANDS)
def test_a_database_of_something_else(refusal: Refusal, command: str, statement: str) -> None:
    """It once got Optuna's tables, from `status` even."""
    connection = sqlite3.connect("tiny.db")
    connection.execute(statement)
    connection.close()
    before = Path("tiny.db").read_bytes()
    assert "tiny.db must be a database that Optuna made" in refusal(*command.split())
    assert Path("tiny.db").read_bytes() == before


def test_a_port_that_is_taken(finished: Path, refusal: Refusal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"but {port} is not" in refusal("dashboard", "tiny.toml", "--port", str(port))


def test_two_at_once(refusal: Refusal) -> None:
    from bnsearch.search.lock import locked

    with locked(Path("tiny.lock"), "The study"):
        assert "must not be in use" in refusal("coarse", "tiny.toml")


def test_all_diverge(folder: Path, refusal: Refusal) -> None:
    """Then there is nothing to search around, and coarse says so without a table."""
    study = changed(
        LEVEL,
        ("low = 1e-2, high = 1.0", "low = 9.0, high = 10.0"),
        ("learning_rate = 0.1", "learning_rate = 10.0"),
        ("hidden = [8]", 'hidden = [8]\nbatch_norm = "none"'),
    )
    Path("wild.toml").write_text(study + "\n[network.init]\nnormal = 1e30\n")
    output = invoke("coarse", "wild.toml", "--trials", "2", "--workers", "1").stdout
    assert "2 trials (2 diverged)" in output
    assert "no trial completed" in output
    assert "Best trials" not in output
    assert answer("status", "wild.toml")[0]["trials"] == {"complete": 0, "pruned": 0, "failed": 2, "running": 0}
    assert answer("status", "wild.toml")[0]["best"] is None
    assert "none completed" in refusal("fine", "wild.toml", "--set", "coarse.trials=2")


def test_debug_shows_the_traceback(folder: Path) -> None:
    result = program("--debug", "run", "nope", folder=folder)
    assert result.returncode == 1
    assert "Traceback" in result.stderr
    assert "UsageError" in result.stderr


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
def test_output_on_a_full_disk(finished: Path) -> None:
    """A result that cannot be printed was once called a bug; a log that cannot be written once stopped the search."""
    # with a buffer, Python tries again at its end to write what is left there, and says so with another exit code
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    for command in (["status", "tiny.toml", "--json"], ["doctor"], ["--help"]):
        with FULL.open("w") as full:
            done = subprocess.run(
                [*COMMAND, *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=buffered
            )
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert line.startswith("bnsearch: standard output must be usable, but: No space left on device: make room")
    with FULL.open("w") as full:
        more = [*COMMAND, "coarse", "tiny.toml", "--trials", "5", "--workers", "1", "--json"]
        done = subprocess.run(more, stdout=subprocess.PIPE, stderr=full, text=True, check=False, env=buffered)
    assert done.returncode == 0
    assert json.loads(done.stdout)["trials"]["complete"] == 5
