"""Values as people read them: settings, shares, counts, ranges."""

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
SYMBOLS = {"l2": "λ", "learning_rate": "η", "momentum": "momentum"}


def setting(params: Row) -> str:
    """Hyperparameters, or what a comparison varies, on one line; a momentum of 0 is left out."""
    shown = (f"{symbol(name)} = {value_of(value)}" for name, value in params.items() if name != "momentum" or value)
    return ", ".join(shown)


def symbol(name: str) -> str:
    """How a hyperparameter is called, or a key that a comparison varies: network.batch_norm is batch_norm."""
    return SYMBOLS.get(name, name.rpartition(".")[2])


def value_of(value: float | str) -> str:
    """A number, or the text that it is."""
    return value if isinstance(value, str) else number(value)


def number(value: float) -> str:
    """A hyperparameter in three digits, and in as many more as keep a momentum of 0.9999 apart from 1."""
    return next(text for text in (f"{value:.{n}g}" for n in range(3, 18)) if value >= 1.0 or float(text) < 1.0)


def percent(share: float) -> str:
    """A share in percent with two decimals."""
    return f"{100 * share:.2f} %"


def n_over(row: Row) -> int:
    """Trials that are over, in whatever way."""
    trials = row["trials"]
    return int(trials["complete"] + trials["pruned"] + trials["failed"])


def counted(row: Row) -> str:
    """How many trials a stage has."""
    n, trials, n_given_up = n_over(row), row["trials"], len(row.get("given_up", ()))
    ways = ((trials["pruned"], "stopped early"), (trials["failed"] - n_given_up, "diverged"), (n_given_up, "failed"))
    ends = [f"{number_of} {word}" for number_of, word in ways if number_of]
    return f"{n} trial{'s' * (n != 1)}" + (f" ({', '.join(ends)})" if ends else "")


def interval(values: Row) -> str:
    """A 95 % interval of an accuracy, which no accuracy leaves."""
    return f"{100 * max(values['low'], 0.0):.2f} … {percent(min(values['high'], 1.0))}"


def span(values: Any) -> str:
    """A range, or the values of a grid."""
    if isinstance(values, Mapping):
        return f"{number(values['low'])} … {number(values['high'])}"
    return f"{{{', '.join(map(number, values))}}}"


def plain(text: str) -> str:
    """Text from outside for a figure, where plotly would take tags and entities for its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def duration(seconds: float) -> str:
    """8.3 s, 2 min 5 s, or 3 h 12 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def rate(value: float) -> str:
    """A speed in two digits, which is all that is known of it."""
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:.2g}"


def listed(names: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def as_sentence(text: str) -> str:
    """With a capital, where it begins with a word, and a full stop."""
    first = text[:1].upper() if text[:1].isascii() else text[:1]
    return f"{first}{text[1:]}{'' if text.endswith('.') else '.'}"


def points(difference: float) -> str:
    """A difference of two shares in percentage points."""
    return f"{100 * difference:.2f} points"
