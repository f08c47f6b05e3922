"""The TOML study file as typed, validated models, and the settings of each stage after its overrides."""

import copy
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bnsearch.errors import StudyFileError, UsageError
from bnsearch.search.messages import first_problem
from bnsearch.search.rules import first_conflict
from bnsearch.search.setups import COMPARE, OVERRIDABLE, STAGE_OF, STAGES, Setup, Stage, StageTables
from bnsearch.search.variants import Comparison, Variant, crossings, dotted, nested, of_one_length, what_counts

M = TypeVar("M", bound=BaseModel)
MOST_DEPTH = 20


@dataclass(frozen=True)
class Study:
    """A resolved study: file, overrides and defaults together."""

    name: str
    called: str  # as the user named it, for commands in messages
    file: Path  # relative data paths start at its folder
    folder: Path  # database and results lie here
    seed: int
    base: Setup
    setups: Mapping[Stage, Setup]
    tables: StageTables
    comparison: Comparison | None = None

    @property
    def results(self) -> Path:
        """The folder of states, curves and models."""
        return self.folder / self.name

    def default_setting(self) -> dict[str, float]:
        """All three hyperparameters as the base tables set them."""
        return self.base.default_setting()

    @property
    def first_command(self) -> str:
        """That begins with it: run, or compare where nothing is searched."""
        return COMPARE if self.tables.coarse.space is None else "run"

    def setup_of(self, name: str) -> Setup:
        """What an Optuna study trains, by the end of its name; of compare before anything is varied."""
        if name != COMPARE:
            return self.setups[STAGE_OF[name]]
        return self.base if self.comparison is None else self.comparison.setup


def find(study: str, folder: Path | None = None) -> tuple[Path, Path]:
    """The study file that a name or path means, and the folder for its results.

    A path ends in .toml or contains a slash; a name is looked for in ./studies, then among the bundled studies.
    """
    here = folder or Path("studies")
    if study.endswith(".toml") or "/" in study:
        path = Path(study)
        if not path.is_file():
            raise UsageError(
                f"A study file must exist at {path}, but none does; bundled studies: {', '.join(bundled())}."
            )
        return path, path.parent
    if (here / f"{study}.toml").is_file():
        return here / f"{study}.toml", here
    if study in bundled():
        return bundled()[study], here
    raise UsageError(
        f"Unknown study {study!r}: there is no {here / study}.toml, and the bundled studies are {', '.join(bundled())}."
    )


def bundled() -> dict[str, Path]:
    """The study files that come with the package."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "studies", package.parent / "studies"):  # in a wheel; in a checkout
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.toml"))}
    return {}


def load_study(study: str, overrides: Sequence[str] = (), folder: Path | None = None) -> Study:
    """Read, override (`section.key=value`, values as in TOML) and check a study."""
    path, results = find(study, folder)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # not UTF-8, not TOML, or too deep for anyone
        raise StudyFileError(f"{path} must be a readable TOML file, but: {' '.join(str(error).split())}.") from error
    for override in overrides:
        apply_override(raw, override)
    return resolve(raw, path, results, study)


def apply_override(raw: dict[str, Any], override: str) -> None:
    """Set one `section.key=value` in the raw tables."""
    keys, value = parse_override(override)
    table = raw
    for key in keys[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise StudyFileError(f"{'.'.join(keys)}: `{key}` must be a table, but is {table!r}.")
    table[keys[-1]] = value


def parse_override(override: str) -> tuple[list[str], Any]:
    """The keys on the way, and the value as TOML has it, or as a text."""
    name, equals, text = override.partition("=")
    keys = name.strip().split(".")
    if not equals or not all(keys):
        raise StudyFileError(f"An override must read section.key=value, but got {override!r}.")
    try:
        return keys, tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return keys, text.strip()


def resolve(raw: Mapping[str, Any], path: Path, folder: Path, called: str) -> Study:
    """Check the raw tables and apply each stage's overrides."""
    if (excess := _excess(raw)) is not None:
        raise StudyFileError(f"{path}: {excess}.")
    known = {"seed", *OVERRIDABLE, *STAGES, COMPARE}
    for key in raw:
        if key not in known:
            raise StudyFileError(f"{path}: unknown key `{key}`; possible keys are {', '.join(sorted(known))}.")
    seed = raw.get("seed", 0)
    if type(seed) is not int or seed < 0:
        raise StudyFileError(f"{path}: `seed` must be a whole number of at least 0, but got {seed!r}.")
    for key in (*OVERRIDABLE, *STAGES, COMPARE):
        if not isinstance(raw.get(key, {}), dict):
            raise StudyFileError(f"{path}: `{key}` must be a table, but got {raw[key]!r}.")
    base = {key: raw.get(key, {}) for key in OVERRIDABLE}
    there = (*STAGES, *({COMPARE} & raw.keys()))
    own = {stage: {k: v for k, v in raw.get(stage, {}).items() if k not in OVERRIDABLE} for stage in there}
    changes = {stage: {k: v for k, v in raw.get(stage, {}).items() if k in OVERRIDABLE} for stage in STAGES}
    # finalists run with the schedule that the winner will be retrained with
    trained = dict(changes)
    trained["confirm"] = _merged({k: v for k, v in changes["final"].items() if k == "training"}, changes["confirm"])
    tables = _checked(StageTables, dict(own.items()), path)
    study = Study(
        name=path.stem,
        called=called,
        file=path,
        folder=folder,
        seed=seed,
        base=_checked(Setup, base, path),
        setups={stage: _checked(Setup, _merged(base, trained[stage]), path, stage) for stage in reversed(STAGES)},
        tables=tables,
        comparison=_comparison(tables, base, raw.get(COMPARE, {}), path),
    )
    conflict = first_conflict(study.tables, study.setups, changes)
    if conflict is not None:
        raise StudyFileError(f"{path}: {conflict}")
    return study


def _comparison(tables: StageTables, base: Mapping[str, Any], own: Mapping[str, Any], path: Path) -> Comparison | None:
    """What compare trains; crossings that come to the same networks are one variant."""
    table = tables.compare
    if table is None:
        return None
    raw = _merged(base, {key: value for key, value in own.items() if key in OVERRIDABLE})
    if (key := next((key for key in table.varied if _holds(own, key)), None)) is not None:
        raise StudyFileError(
            f"{path}: `compare.{dotted(key)}` must be absent, as `compare.vary.{dotted(key)}` lists its values: keep "
            f"one of the two."
        )
    setup, found = _checked(Setup, of_one_length(raw, table), path, COMPARE), dict[Setup, Variant]()
    for crossing in crossings(table):
        keys = {dotted(key): value for key, value in crossing.items()}
        crossed = of_one_length(_merged(raw, nested(crossing)), table)
        variant = Variant(keys, _checked(Setup, crossed, path, f"{COMPARE}.vary"))
        found.setdefault(what_counts(variant.setup), variant)
    varied = {dotted(key): values for key, values in table.varied.items()}
    return Comparison(table.repeats, varied, setup, tuple(found.values()))


def _holds(table: Any, key: Sequence[str]) -> bool:
    """Is there something at a key of nested tables?"""
    for part in key:
        if not isinstance(table, Mapping) or part not in table:
            return False
        table = table[part]
    return True


def check_searches(study: Study) -> None:
    """Refuse the chain of a study file that has nothing but a comparison."""
    if study.tables.coarse.space is None:
        raise UsageError(
            f"`coarse.space` must name what is searched, such as space.l2 = {{ low = 1e-5, high = 1e-1 }}, but "
            f"{study.called} only compares: run `bnsearch compare {study.called}`."
        )


def _checked(model: type[M], raw: Mapping[str, Any], path: Path, prefix: str = "") -> M:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise StudyFileError(f"{path}: {first_problem(error, model, prefix)}") from error


def _excess(value: Any, depth: int = 0) -> str | None:
    """What TOML's reader takes, but nothing that comes after it would: numbers without end, and tables without."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "whole numbers must fit into 64 bits, as in all of TOML, but one does not"
    if not isinstance(value, Mapping | list):
        return None
    if depth > MOST_DEPTH:
        return f"tables must be at most {MOST_DEPTH} deep, but one is deeper"
    inner = value.values() if isinstance(value, Mapping) else value
    return next((found for one in inner if (found := _excess(one, depth + 1)) is not None), None)


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Tables merged key by key; a schedule of another kind replaces the whole schedule."""
    merged = copy.deepcopy(dict(base))
    for key, value in changes.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict) and value.get("kind", old.get("kind")) == old.get("kind"):
            merged[key] = _merged(old, value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged
