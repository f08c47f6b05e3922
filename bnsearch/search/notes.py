"""Notes of studies and trials as optuna-dashboard stores them: a version that grows, and the text in pieces."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

PIECE_LENGTH = 2045
OURS = re.compile(r"bnsearch:note:(\d+)")


def changed(attrs: Mapping[str, Any], trial_id: int | None, text: str | None) -> dict[str, Any]:
    """The attributes of a study that make the text its note, or that of a trial; None for those that must go.

    Nothing where it is that already, or where the note was written by someone else, who may want to keep it. text
    None: no note.
    """
    of = "dashboard:" if trial_id is None else f"dashboard:{trial_id}:"
    version, piece, ours = f"{of}note_ver", f"{of}note_str:", f"bnsearch:note:{trial_id or 0}"
    before = {key: value for key, value in attrs.items() if key.startswith(piece)}
    now = "".join(before[key] for key in sorted(before, key=lambda key: int(key.removeprefix(piece))))
    if (now and _digest(now) != attrs.get(ours)) or now == (text or ""):
        return {}
    if text is None:
        return dict.fromkeys([*before, version, ours])
    new: dict[str, Any] = {f"{piece}{i}": part for i, part in enumerate(pieces(text))}
    gone = dict.fromkeys(before.keys() - new.keys())
    return {**gone, **new, ours: _digest(text), version: int(attrs.get(version, 0)) + 1}


def trials_with_ours(attrs: Mapping[str, Any]) -> set[int]:
    """Trials that have a note written here."""
    found = (OURS.fullmatch(key) for key in attrs)
    return {int(match[1]) for match in found if match and int(match[1])}


def pieces(text: str) -> list[str]:
    """The text in pieces of whole lines, as far as these are not too long."""
    found = [""]
    for line in text.splitlines(keepends=True):
        for part in (line[i : i + PIECE_LENGTH] for i in range(0, len(line), PIECE_LENGTH)):
            if len(found[-1]) + len(part) > PIECE_LENGTH:
                found.append("")
            found[-1] += part
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
