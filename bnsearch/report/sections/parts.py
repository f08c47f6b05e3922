"""What a section consists of. All texts are plain; the page's template escapes them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import plotly.graph_objects as go


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure with the sentence that stands above it."""

    name: str  # of this figure on the page
    finding: str
    figure: go.Figure
    alt: str  # what is drawn, for those who do not see it
    note: str | None = None
    choice: str | None = None  # of several drawings in one place, one of which is shown
    wide: bool = False
    selectable: bool = False  # its lines are shown by the small multiples


@dataclass(frozen=True)
class Table:
    """Columns after the first `n_left` are aligned to the right."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    n_left: int = 1


@dataclass(frozen=True)
class Picture:
    """A small picture."""

    source: str  # a data: address
    alt: str
    lines: Sequence[str]  # below it


@dataclass(frozen=True)
class Multiple:
    """A trial's curve in miniature."""

    label: str
    line: str  # below it
    title: str
    state: str
    valid: str  # a path within 100 × 50
    train: str
    selected: bool


@dataclass(frozen=True)
class Section:
    """A part of the page; empty parts are left out."""

    id: str
    title: str
    findings: Sequence[str] = ()
    facts: Sequence[tuple[str, Sequence[str]]] = ()  # a label and its sentences
    drawings: Sequence[Drawing] = ()
    multiples: Sequence[Multiple] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    commands: Sequence[str] = field(default=())
    notes: Sequence[str] = ()
