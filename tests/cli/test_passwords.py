"""A password in `--storage` is in nothing that is printed or stored, whatever goes wrong."""

import sqlite3
import sys
from pathlib import Path

import pytest

from bnsearch.cli import commands, main
from bnsearch.cli.options import Chosen
from tests.cli.helpers import invoke, program

ADDRESSES = [  # where one can be connected to, nobody listens
    "postgresql+psycopg://me:s3cret@127.0.0.1:1/studies",
    "postgresql+psycopg://me@127.0.0.1:1/studies?password=s3cret",
    "postgresql://me:s3cret@db.example.org:port/studies",
    "postgresql+psycopg://me:half%40s3cret@127.0.0.1:1/studies",
    "postgresql://me:half@s3cret@db.example.org/studies",
    "postgresql//me:s3cret@db.example.org/studies",
    "sqlite+pysqlcipher://:s3cret@/x.db",
    "me:s3cret@db.example.org",
]
COMMANDS = [
    ["run", "tiny.toml"],
    ["status", "tiny.toml"],
    ["plan", "tiny.toml", "--budget", "1m"],
    ["reset", "tiny.toml", "--from", "coarse"],
    ["doctor", "tiny.toml", "--json"],
    ["backup", "tiny.toml"],
    ["upgrade", "tiny.toml"],
    ["compare", "tiny.toml", "--set", 'compare.vary.network.init=["he", "xavier"]'],
    ["plan", "tiny.toml", "--budget", "1m", "--json"],
    ["show", "tiny.toml"],
    ["report", "tiny.toml"],
    ["dashboard", "tiny.toml", "--port", "0"],
    ["--debug", "status", "tiny.toml"],
    ["--debug", "coarse", "tiny.toml", "--set", "training.epochs=1"],
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_it_is_not_printed(
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    address: str,
) -> None:
    for form in (["--storage", address], [f"--storage={address}"]):
        monkeypatch.setattr(sys, "argv", ["bnsearch", *command, *form])
        with pytest.raises(SystemExit):
            main()
        printed = "".join(capfd.readouterr())
        assert printed
        assert "s3cret" not in printed
    assert not [path for path in folder.rglob("*") if path.is_file() and b"s3cret" in path.read_bytes()]


def test_every_command_that_takes_an_address_is_tried() -> None:
    taking = {name for name, command in commands.commands.items() if any(p.name == "storage" for p in command.params)}
    assert taking - {"fine", "confirm", "final"} == {next(w for w in c if not w.startswith("-")) for c in COMMANDS}


def test_a_command_to_paste_has_none() -> None:
    given = {"seed": None, "workers": 2, "data_dir": None, "overrides": ("training.epochs=3",), "quiet": False}
    chosen = Chosen("digits", storage=ADDRESSES[0], **given)
    assert chosen.command("run") == (
        "bnsearch run digits --workers 2 --storage 'postgresql+psycopg://me:***@127.0.0.1:1/studies' "
        "--set training.epochs=3"
    )


def test_an_address_in_the_wrong_place(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["bnsearch", "run", ADDRESSES[0]])
    with pytest.raises(SystemExit):
        main()
    printed = "".join(capfd.readouterr())
    assert "A study file must exist" in printed
    assert "s3cret" not in printed


def test_what_a_library_says_is_cleaned_too(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if it quoted the address in an error that nobody foresaw."""
    import bnsearch.search.session as session

    def quoting(url: str, name: str) -> None:
        raise RuntimeError(f"could not parse {url}, of which the password is 's3cret'")

    monkeypatch.setattr(session, "open_existing", quoting)
    for debug in ([], ["--debug"]):
        monkeypatch.setattr(sys, "argv", ["bnsearch", *debug, "status", "tiny.toml", "--storage", ADDRESSES[0]])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert stopped.value.code == 1
        printed = "".join(capfd.readouterr())
        assert "of which the password is '***'" in printed
        assert "s3cret" not in printed
        assert ("Traceback" in printed) == bool(debug)


def test_as_a_process(folder: Path) -> None:
    result = program("status", "tiny.toml", "--storage", ADDRESSES[0], folder=folder)
    assert result.returncode == 2
    assert result.stderr.startswith("bnsearch: The database postgresql+psycopg://me:***@127.0.0.1:1/studies must ")


def test_the_address_of_a_file_is_shown_and_stored_nowhere_but_beside_it(folder: Path) -> None:
    """There is no password in it; the database itself does not know where it lies."""
    invoke("coarse", "tiny.toml", "--trials", "1", "--workers", "1", "--storage", f"sqlite:///{folder}/other-name.db")
    connection = sqlite3.connect(folder / "other-name.db")
    everything = "\n".join(connection.iterdump())
    connection.close()
    assert "other-name" not in everything
    assert "other-name" in (folder / "tiny" / "database.txt").read_text()
