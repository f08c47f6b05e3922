"""What one benchmark found: tables to read and figures to compute with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Options:
    """How thoroughly, and with which data."""

    quick: bool  # a small version, to see that all works
    n_rounds: int | None  # instead of a benchmark's own number
    data_dir: Path | None  # where CIFAR-10 lies

    def rounds(self, usual: int, quick: int = 1) -> int:
        """How often each competitor is timed."""
        return self.n_rounds or (quick if self.quick else usual)


@dataclass(frozen=True)
class Table:
    """Rows of text under a header; the first column is left-aligned, all others right-aligned."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""

    def markdown(self) -> str:
        """The table with its columns padded, so that it can be read as it is."""
        lines = [self.header, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.header))]
        rule = ["-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])]

        def padded(line: Sequence[str]) -> str:
            cells = zip(line, widths, strict=True)
            return "| " + " | ".join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(cells)) + " |"

        text = "\n".join(padded(line) for line in (self.header, rule, *self.rows))
        return f"{self.caption}\n\n{text}" if self.caption else text


@dataclass(frozen=True)
class Section:
    """One benchmark's part of the results."""

    title: str
    text: str  # what was measured, and how
    tables: Sequence[Table]
    figures: dict[str, Any] = field(default_factory=dict)

    def markdown(self) -> str:
        """Without title."""
        return "\n\n".join([self.text, *(table.markdown() for table in self.tables)])
