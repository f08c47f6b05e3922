"""bnsearch show."""

import re
from pathlib import Path

import pytest

from tests.cli.helpers import answer, invoke


@pytest.mark.usefixtures("finished")
def test_a_trial_in_full() -> None:
    record = answer("show", "tiny.toml", "coarse-2")
    text = invoke("show", "tiny.toml", "coarse-2").stdout
    assert (record["study"], record["trial"], record["state"]) == ("tiny.coarse", 2, "complete")
    for words in ("2 of tiny.coarse, complete", f"{100 * record['value']:.2f} % validation accuracy", "Learning curve"):
        assert words in text
    for path in record["files"].values():
        assert Path(path).is_file()
        assert path in text
    assert set(record["files"]) == {"curve", "picture"}
    assert len(record["curve"]) == 2


@pytest.mark.usefixtures("finished")
def test_every_trial_can_be_shown() -> None:
    for row in answer("status", "tiny.toml"):
        for number in range(row["total"]):
            assert f"{number} of {row['study']}" in invoke("show", "tiny.toml", f"{row['stage']}-{number}").stdout


def test_a_curve_that_a_power_cut_took_is_told_of(finished: Path) -> None:
    """Curves are not synced: a file may be there without a byte in it, or with zeros."""
    curves = sorted((finished / "tiny" / "curves").glob("*.csv"))
    for content in (b"", bytes(200_000)):
        for path in curves:
            path.write_bytes(content)
        assert answer("show", "tiny.toml", "coarse-2")["curve"] == []
        assert "missing: its file is gone or damaged" in invoke("show", "tiny.toml", "coarse-2").stdout
        invoke("report", "tiny.toml")
        page = (finished / "tiny" / "report.html").read_text()
        assert re.search(r"(\d+) of \1 curves are missing: their files are gone or damaged", page)
        (line,) = (line for line in answer("doctor", "tiny.toml") if line["name"] == "Curves")
        assert line["state"] == "warn"
        assert f"{len(curves)} of {len(curves)} are gone or damaged, such as coarse-0" in line["found"]
