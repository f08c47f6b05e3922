"""Notes as optuna-dashboard reads them; what someone else wrote is left alone."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from optuna_dashboard._note import get_note_from_system_attrs

from bnsearch.search.notes import PIECE_LENGTH, changed, pieces, trials_with_ours

LONG = "".join(f"line {i} of a long note\n" for i in range(400))


def written(attrs: dict[str, Any], trial_id: int | None, text: str | None) -> dict[str, Any]:
    """The attributes after the change."""
    after = attrs | changed(attrs, trial_id, text)
    return {key: value for key, value in after.items() if value is not None}


def body(attrs: dict[str, Any], trial_id: int | None = None) -> str:
    return get_note_from_system_attrs(attrs, trial_id)["body"]


def test_the_dashboard_reads_what_was_written() -> None:
    for trial_id in (None, 7):
        for text in ("# A note\n\nλ = 0.1", LONG):
            assert body(written({}, trial_id, text), trial_id) == text


def test_a_shorter_note_leaves_nothing_of_the_longer_one() -> None:
    attrs = written(written({}, None, LONG), None, "short")
    assert body(attrs) == "short"
    assert attrs["dashboard:note_ver"] == 2
    assert len(attrs) == 3


def test_the_same_note_changes_nothing() -> None:
    assert changed(written({}, None, LONG), None, LONG) == {}


def test_a_note_that_someone_edited_is_theirs() -> None:
    attrs = written({}, None, "ours") | {"dashboard:note_str:0": "theirs", "dashboard:note_ver": 2}
    assert changed(attrs, None, "ours, renewed") == {}
    assert changed({"dashboard:note_str:0": "theirs", "dashboard:note_ver": 1}, None, "ours") == {}


def test_a_note_that_someone_emptied_is_written_again() -> None:
    attrs = written({}, None, "ours") | {"dashboard:note_str:0": "", "dashboard:note_ver": 2}
    assert body(written(attrs, None, "renewed")) == "renewed"


def test_notes_of_trials_come_and_go() -> None:
    attrs = written(written(written({}, None, "study"), 3, "three"), 4, "four")
    assert trials_with_ours(attrs) == {3, 4}
    assert (body(attrs, 3), body(attrs, 4), body(attrs)) == ("three", "four", "study")
    attrs = written(attrs, 3, None)
    assert trials_with_ours(attrs) == {4}
    assert (body(attrs, 3), body(attrs, 4)) == ("", "four")


@given(st.text(st.sampled_from("ab\nλ"), max_size=20).map(lambda text: text * 300))
def test_pieces_are_short_and_break_at_lines(text: str) -> None:
    found = pieces(text)
    assert "".join(found) == text
    assert all(len(piece) <= PIECE_LENGTH for piece in found)
    if max(map(len, text.split("\n"))) < PIECE_LENGTH:
        assert all(piece.endswith("\n") for piece in found[:-1])
