"""One line of a check-up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from bnsearch.data.dataset import one_line
from bnsearch.errors import BnsearchError

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Line:
    """What was looked at, how it stands, and what helps where it does not stand well."""

    name: str
    state: State
    found: str
    remedy: str = ""  # where `found` does not end with it


def answers(name: str, question: Callable[[], Iterator[Line]]) -> Iterator[Line]:
    """The lines of a check; what cannot even be asked fails, for a check-up goes on to its end."""
    try:
        yield from question()
    except BnsearchError as error:
        yield Line(name, "fail", str(error))  # which says what helps
    except Exception as error:
        yield Line(name, "fail", f"{type(error).__name__}: {one_line(error)}", "report this as a bug")


def size(n_bytes: float) -> str:
    """For people."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if n_bytes >= factor:
            return f"{n_bytes / factor:.1f} {unit}"
    return f"{n_bytes / 1e3:.0f} kB"
