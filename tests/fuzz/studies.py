"""Study files: keys set to anything, missing, new, and text that is no TOML."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from bnsearch.errors import BnsearchError
from bnsearch.search.setups import STAGES
from bnsearch.search.space import distributions, propose
from bnsearch.search.study_file import bundled, load_study
from tests.fuzz.guard import check_line
from tests.fuzz.mutation import spoilt_or_raw
from tests.helpers import TINY

FILES = [TINY, *(path.read_text(encoding="utf-8") for path in bundled().values())]
WORDS = [
    *("seed", "data", "network", "training", "coarse", "fine", "confirm", "final", "source", "label", "train", "valid"),
    *("standardize", "components", "hidden", "batch_norm", "bn_average", "bn_epsilon", "bn_statistics", "init"),
    *("batch_size", "learning_rate", "l2", "momentum", "epochs", "schedule", "kind", "low", "high", "log", "decay"),
    *("half_cycle_steps", "cycles", "warmup_epochs", "final", "trials", "sampler", "space", "rungs", "keep", "repeats"),
    *("setting", "train_on", "normal", "compare", "vary", "", "a.b", "ä☃", "__class__", "model_config"),
]
TEXTS = [
    *("digits", "cifar10", "x.npz", "/dev/zero", "none", "center", "per-dimension", "affine", "plain", "moving"),
    *("population", "he", "xavier", "zeros", "constant", "exponential", "cyclic", "cosine", "random", "sobol", "grid"),
    *("tpe", "train", "train+valid", "", "\0", "{0}", "%s", "\x1b[31m"),
]
HARD = [
    *("1" + "0" * 5000, "0x" + "f" * 5000, "[" * 3000, "a" + ".a" * 3000 + " = 1", "x = " + "{a = " * 2000),
    *("1979-05-27T07:32:00Z", "07:32:00", "1e99999", "-0.0", "5e-324", "1.7976931348623157e308"),
]
numbers = st.one_of(
    st.integers(-3, 300),
    st.integers(),
    st.floats(),
    st.sampled_from([0, 1, 2, -1, 2**31, 2**63 - 1, 2**63, 10**30, 1e-5, 0.5, 1.0, 10.0, 1e308, 5e-324]),
)
values = st.recursive(
    st.booleans() | numbers | st.sampled_from(TEXTS) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
    max_leaves=6,
)


def as_toml(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{_scalar(c):08x}" for c in value) + '"'
    if isinstance(value, list):
        return f"[{', '.join(map(as_toml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{as_toml(key)} = {as_toml(inner)}' for key, inner in value.items())}}}"
    return repr(value) if isinstance(value, int | float) else str(value)


def _scalar(letter: str) -> int:
    return 0xFFFD if 0xD800 <= ord(letter) <= 0xDFFF else ord(letter)  # no half of a surrogate pair


def _paths(tables: Any, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [before] if before else []
    for key, value in tables.items() if isinstance(tables, dict) else ():
        found += _paths(value, (*before, key))
    return found


def _set(tables: dict[str, Any], path: Sequence[str], value: Any) -> None:
    *parents, last = path
    for key in parents:
        inner = tables.setdefault(key, {})
        if not isinstance(inner, dict):
            return
        tables = inner
    if value is None:
        tables.pop(last, None)
    else:
        tables[last] = value


@st.composite
def changed_studies(draw: st.DrawFn) -> bytes:
    """A valid study with some keys changed, as TOML."""
    tables = tomllib.loads(draw(st.sampled_from(FILES)))
    paths = _paths(tables)
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(paths)) if draw(st.booleans()) else ()
        path += tuple(draw(st.lists(st.sampled_from(WORDS), max_size=2, min_size=0 if path else 1)))
        _set(tables, path, draw(values | st.none()))
    text = "\n".join(f"{as_toml(key)} = {as_toml(value)}" for key, value in tables.items())
    if draw(st.integers(0, 9)) == 0:
        text += "\n" + draw(st.sampled_from(["", "more = "])) + draw(st.sampled_from(HARD))
    return text.encode()


def inputs() -> st.SearchStrategy[bytes]:
    """What a study file may hold."""
    return changed_studies() | changed_studies() | st.sampled_from(FILES).flatmap(lambda t: spoilt_or_raw(t.encode()))


def check(content: bytes, folder: Path) -> bool:
    """A study, whose first configurations can be proposed, or a refusal."""
    path = folder / "study.toml"
    path.write_bytes(content)
    try:
        study = load_study(str(path))
    except BnsearchError as error:
        check_line(error)
        return False
    assert set(study.setups) == set(STAGES)
    if (comparison := study.comparison) is not None:
        assert comparison.variants
        assert all(v.label and v.params[key] in comparison.choices[key] for v in comparison.variants for key in v.keys)
    table = study.tables.coarse
    if table.space is not None and table.sampler != "sobol":  # slow, and of the same space
        assert distributions(table.space)
        n = min(table.total, 3)
        assert len(propose(table.space, table.sampler, [], 0, n, study.seed, "coarse")) == n
    return True
