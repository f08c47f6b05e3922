"""bnsearch show."""

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
