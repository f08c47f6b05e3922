"""One part of the page: an experiment of a report, theirs beside ours."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.section import Table


@dataclass(frozen=True)
class Part:
    """What stands under one heading."""

    title: str
    commands: Sequence[str]  # of bnsearch, without the program's name
    quote: str = ""  # the report's own words
    text: Sequence[str] = ()  # paragraphs
    tables: Sequence[Table] = ()
    pictures: Sequence[tuple[str, str]] = ()  # name, what it shows


def points(share: float, digits: int = 1, sign: bool = False) -> str:
    """A difference of accuracies: 9.2 points."""
    return f"{100 * share:{'+' if sign else ''}.{digits}f} points"


def percent(share: float, digits: int = 2) -> str:
    """A share in percent, without the sign of it: tables name it in their header."""
    return f"{100 * share:.{digits}f}"


def scientific(value: float | None) -> str:
    """An error; 0 / 0 where both gradients are nothing but rounding."""
    return "0 / 0" if value is None else f"{value:.1e}"
