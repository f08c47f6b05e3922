"""bnsearch dashboard: what it serves, to whom, and how it ends."""

import http.client
import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.helpers import COMMAND, invoke
from tests.helpers import LEVEL
from tests.search.test_sqlite import everything


@contextmanager
def dashboard(folder: Path, *arguments: str) -> Iterator[tuple[int, str, subprocess.Popen[str]]]:
    """(port, what it said at its start, process)"""
    command = [*COMMAND, "dashboard", *arguments, "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:(\d+)/dashboard", line)
            assert found is not None, line
            yield int(found[1]), line, process
        finally:
            process.kill()


def get(port: int, path: str, host: str | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={"Host": host} if host else {})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


def studies(port: int) -> list[str]:
    found: Any = json.loads(get(port, "/api/studies")[1])
    return [study["study_name"] for study in found["study_summaries"]]


def test_it_serves_a_study_leaves_no_trace_and_ends_with_ctrl_c(finished: Path) -> None:
    before = everything(finished)
    with dashboard(finished, "tiny.toml") as (port, line, process):
        assert line.startswith("tiny: http://")
        assert studies(port) == ["tiny.coarse", "tiny.fine", "tiny.confirm", "tiny.final"]
        note = json.loads(get(port, "/api/studies/4")[1])["note"]["body"]
        assert note.startswith("## tiny.final: the chosen setting and the test set")
        assert get(port, "/dashboard", host="evil.example")[0] == 403
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert process.stderr is not None
        assert process.stderr.read() == "ended.\n"
    assert everything(finished) == before


def test_several_studies_with_databases_of_their_own(finished: Path) -> None:
    (finished / "other.toml").write_text(LEVEL)
    invoke("coarse", "other.toml", "--trials", "1", "--workers", "1")
    with dashboard(finished, "tiny.toml", "other.toml") as (port, line, _):
        assert line.startswith("tiny, other: http://")
        assert studies(port)[-2:] == ["tiny.final", "other.coarse"]
        listed: Any = json.loads(get(port, "/api/studies")[1])
        number = listed["study_summaries"][-1]["study_id"]
        (trial,) = json.loads(get(port, f"/api/studies/{number}")[1])["trials"]
        names = {artifact["filename"]: artifact["artifact_id"] for artifact in trial["artifacts"]}
        status, picture = get(port, f"/artifacts/{number}/{trial['trial_id']}/{names['coarse-00000.svg']}")
        assert status == 200
        assert picture.startswith(b"<svg")


def test_all_studies_here(finished: Path) -> None:
    (finished / "studies").mkdir()
    (finished / "studies" / "mine.toml").write_text(LEVEL)
    invoke("coarse", "mine", "--trials", "1", "--workers", "1")
    with dashboard(finished) as (port, line, _):
        assert line.startswith("mine: http://")
        assert studies(port) == ["mine.coarse"]
