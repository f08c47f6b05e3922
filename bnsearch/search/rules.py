"""Rules between the tables of a study file: what is searched, where the default lies, which overrides have an effect.

Each function gives the first problem as a sentence, or None. Raw tables are as the file has them, for a resolved setup
does not tell which stage set a value.
"""

from collections.abc import Mapping
from typing import Any

from bnsearch.search.setups import Setup, Stage, StageTables
from bnsearch.search.tables import LIMITS, Cosine, Cyclic, Range, SearchTable


def first_conflict(
    tables: StageTables, setups: Mapping[Stage, Setup], raw: Mapping[Stage, Mapping[str, Any]]
) -> str | None:
    """The first rule that does not hold."""
    if tables.coarse.space is None and (tables.compare is None or tables.coarse.model_fields_set):
        return "`coarse.space` must name what is searched, such as space.l2 = { low = 1e-5, high = 1e-1 }."
    own = {stage: table.get("training", {}) for stage, table in raw.items()}
    return (
        _ineffective(tables, own)
        or _default_outside(tables.coarse.space or {}, setups["coarse"], own["coarse"])
        or _rungs_impossible(tables, setups)
    )


def _default_outside(space: Mapping[str, Any], coarse: Setup, own: Mapping[str, Any]) -> str | None:
    """Coarse's first trial is the default setting, as coarse trains it; a grid has no such trial."""
    for name, range_ in space.items():
        value = coarse.default_setting()[name]
        if isinstance(range_, Range) and not range_.low <= value <= range_.high:
            key = f"coarse.training.{name}" if name in own else f"training.{name}"
            return (
                f"`{key}` must lie within `coarse.space.{name}`, as the default setting is the first trial, but "
                f"{value} is outside [{range_.low}, {range_.high}]."
            )
    return None


def _rungs_impossible(tables: StageTables, setups: Mapping[Stage, Setup]) -> str | None:
    """Rungs that were asked for, where lanes cannot be compared before the end of the run."""
    searches: dict[Stage, SearchTable] = {"coarse": tables.coarse, "fine": tables.fine}
    for stage, table in searches.items():
        training = setups[stage].training
        schedule, reason = training.schedule, None
        if isinstance(schedule, Cosine):
            reason = "with a cosine schedule, under which settings can be compared at the end alone"
        elif isinstance(schedule, Cyclic) and schedule.cycles == 1:
            reason = "with a single cycle, as rungs lie at the ends of earlier ones"
        elif training.epochs == 1:
            reason = "with a single epoch, as rungs lie at the ends of earlier ones"
        if table.rungs and reason:
            return f"`{stage}.rungs` must be absent or [] {reason}, but got {list(table.rungs)}: leave it out."
    return None


def _ineffective(tables: StageTables, own: Mapping[Stage, Mapping[str, Any]]) -> str | None:
    """A stage's own value of a hyperparameter that comes from elsewhere would be ignored in silence."""
    fine_space = tables.fine.space or tables.coarse.space or {}
    setting = tables.final.setting
    for stage, table in own.items():
        for name in (name for name in LIMITS if name in table):
            base = f"set `training.{name}`, the default setting"
            reason, remedy = "", base
            if stage == "coarse" and tables.coarse.sampler == "grid" and name in (tables.coarse.space or {}):
                reason, remedy = "as coarse's grid lists its values", f"change `coarse.space.{name}`"
            elif stage == "fine" and name in fine_space:
                reason, remedy = "as fine searches it", f"give `fine.space.{name}`, or {base}"
            elif stage == "confirm":
                reason = "as each finalist brings its own"
            elif stage == "final" and setting is None:
                reason, remedy = "as final retrains confirm's winner", f"fix it by `final.setting.{name}`, or {base}"
            elif stage == "final" and setting is not None and name in setting:
                reason, remedy = f"as `final.setting.{name}` fixes it", "keep one of the two"
            if reason:
                return f"`{stage}.training.{name}` must be absent, {reason}, but got {table[name]!r}: {remedy}."
    return None
