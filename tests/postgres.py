"""A real PostgreSQL server for tests: Debian's, in a folder of its own, reachable by a socket there and by loopback."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.processes import PATIENCE_SECONDS
from tests.search.limits import NOBODY, everyones_folder

FOLDERS = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
SEARCHED = os.pathsep.join([*FOLDERS, os.environ.get("PATH", "")])
INITDB, POSTGRES = shutil.which("initdb", path=SEARCHED), shutil.which("postgres", path=SEARCHED)
on_a_server = [
    pytest.mark.slow,
    # CI installs it; there its absence is a failure
    pytest.mark.skipif(POSTGRES is None and "CI" not in os.environ, reason="PostgreSQL is not installed"),
]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    """The folder of a server's socket; one for all tests of a process."""
    user = {"user": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}  # it refuses to be root's
    with everyones_folder() as folder:
        data = folder / "data"
        data.mkdir()
        if user:
            for path in (folder, data):
                os.chown(path, NOBODY, -1)
        making = (INITDB, "-D", data, "-U", "bnsearch", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        subprocess.run(making, cwd=folder, check=True, capture_output=True, **user)
        server, patience = _begun(folder, user), time.monotonic() + PATIENCE_SECONDS
        try:
            while not _answers(folder):
                if server.poll() is not None:  # another process may have been quicker to take the port
                    server = _begun(folder, user)
                assert time.monotonic() < patience, (folder / "log.txt").read_text()
                time.sleep(0.05)
            yield folder
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:  # somebody is still connected
                server.kill()
                server.wait()


@pytest.fixture
def database(postgres: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database of the test's own."""
    name = f"test_{abs(hash(request.node.nodeid))}"
    with psycopg.connect(_address(postgres, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield f"postgresql+psycopg://bnsearch@/{name}?host={postgres}&port={port_of(postgres)}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def port_of(folder: Path) -> int:
    """At which the server listens, on loopback and in the name of its socket."""
    return int((folder / "port.txt").read_text())


def _begun(folder: Path, user: dict[str, Any]) -> "subprocess.Popen[bytes]":
    """A server at another port each time."""
    options = ("-D", folder / "data", "-k", folder, "-h", "127.0.0.1", "-p", _free_port(folder), "-F")
    with (folder / "log.txt").open("w") as log:
        return subprocess.Popen([POSTGRES or "postgres", *options], cwd=folder, stdout=log, stderr=log, **user)


def _answers(folder: Path) -> bool:
    try:
        psycopg.connect(_address(folder, "postgres")).close()
    except psycopg.OperationalError:
        return False
    return True


def _free_port(folder: Path) -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        (folder / "port.txt").write_text(str(free.getsockname()[1]))
    return str(port_of(folder))


def _address(folder: Path, name: str) -> str:
    return f"postgresql://bnsearch@/{name}?host={folder}&port={port_of(folder)}"
