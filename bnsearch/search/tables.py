"""The tables of a study file: one model each, with every rule that concerns that table alone."""

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
MOST = 1_000_000  # more is a slip of the keyboard, and would be out of memory before it is out of time
Count = Annotated[int, Field(ge=1, le=MOST)]
Repeats = Annotated[int, Field(ge=2, le=MOST)]
MOST_VARIANTS = 200
KEEP = 1 / 2  # of the lanes that a rung ranks
LIMITS: dict[str, tuple[float, float]] = {"l2": (0.0, 1.0), "learning_rate": (0.0, 10.0), "momentum": (0.0, 0.9999)}


def _searched(name: str) -> str:
    if name not in LIMITS:
        raise ValueError(f"only {', '.join(LIMITS)} can be searched, but got {name!r}")
    return name


Searched = Annotated[str, AfterValidator(_searched)]


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


RowRange = Annotated[tuple[int, int], BeforeValidator(_tuple)]


class Table(BaseModel):
    """Unknown keys and wrong types are refused; a table never changes."""

    model_config = {"extra": "forbid", "frozen": True, "strict": True}


class DataTable(Table):
    """Which data, which rows, and how inputs are scaled."""

    source: str
    label: str = "label"  # of a .csv or .parquet file
    train: RowRange | None = None  # default: all but the last sixth
    valid: RowRange | None = None  # default: the last sixth
    standardize: Literal["none", "center", "per-dimension"] = "per-dimension"
    components: Positive | None = None  # a count (>= 1) or a share of the variance (< 1)

    @model_validator(mode="after")
    def _rules(self) -> Self:
        if (self.train is None) != (self.valid is None):
            raise ValueError("`train` and `valid` must be given together or not at all")
        for name in ("train", "valid"):
            rows = getattr(self, name)
            if rows is not None and not 0 <= rows[0] < rows[1]:
                raise ValueError(
                    f"`{name}` must be rows [first, last + 1] with 0 <= first < last + 1, but got {list(rows)}"
                )
        if self.train and self.valid and max(self.train[0], self.valid[0]) < min(self.train[1], self.valid[1]):
            raise ValueError(
                f"`train` and `valid` must not share rows, but got {list(self.train)} and {list(self.valid)}"
            )
        if self.components is not None:
            if self.standardize == "none":
                raise ValueError('`components` need centred inputs: set `standardize` to "center" or "per-dimension"')
            if self.components > 1 and self.components != int(self.components):
                raise ValueError(f"`components` must be a whole count or a share below 1, but got {self.components}")
        return self


class NormalInit(Table):
    """W ~ N(0, σ²)."""

    normal: NotNegative


class NetworkTable(Table):
    """The architecture, which all trials of a study share."""

    hidden: Annotated[tuple[Count, ...], BeforeValidator(_tuple)] = (50, 50)
    batch_norm: Literal["affine", "plain", "none"] = "affine"
    bn_average: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.9
    bn_epsilon: NotNegative = 1e-7
    bn_statistics: Literal["moving", "population"] = "moving"
    init: Literal["he", "xavier", "zeros"] | NormalInit = "he"


class Constant(Table):
    """η stays."""

    kind: Literal["constant"] = "constant"


class Exponential(Table):
    """η × decay after each epoch."""

    kind: Literal["exponential"]
    decay: Annotated[float, Field(gt=0.0, le=1.0)]


class Cyclic(Table):
    """A triangle between low·η and η, up and down in 2 × half_cycle_steps."""

    kind: Literal["cyclic"]
    low: Share  # as a share of the learning rate
    half_cycle_steps: Count
    cycles: Count


class Cosine(Table):
    """A linear warm-up, then half a cosine down to final·η."""

    kind: Literal["cosine"]
    warmup_epochs: NotNegative = 0.0
    final: Share = 0.0


Schedule = Annotated[Constant | Exponential | Cyclic | Cosine, Field(discriminator="kind")]


class TrainingTable(Table):
    """How a network is trained, and the default setting of what can be searched."""

    batch_size: Annotated[int, Field(ge=2, le=MOST)] = 100
    learning_rate: Annotated[float, Field(gt=0.0, le=10.0)] = 0.1
    l2: Share = 0.0
    momentum: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    epochs: Count | None = None
    schedule: Schedule = Constant()

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if isinstance(self.schedule, Cyclic) and self.epochs is not None:
            raise ValueError(
                "`epochs` must be absent with a cyclic schedule, whose length is cycles × 2 × half_cycle_steps"
            )
        if not isinstance(self.schedule, Cyclic) and self.epochs is None:
            raise ValueError(f"`epochs` must be given with a schedule of kind {self.schedule.kind!r}")
        return self


class Range(Table):
    """Where one hyperparameter is searched."""

    low: Finite
    high: Finite
    log: bool = True

    @model_validator(mode="after")
    def _rules(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"`low < high` must hold, but got low = {self.low}, high = {self.high}")
        if self.log and self.low <= 0.0:
            raise ValueError(
                f"`low > 0` must hold for a logarithmic range, but got low = {self.low}; set `log = false` or raise it"
            )
        return self


Rungs = Annotated[tuple[Annotated[float, Field(gt=0.0, lt=1.0)], ...], BeforeValidator(_tuple)]
GridValues = Annotated[tuple[Finite, ...], BeforeValidator(_tuple), Field(min_length=1)]


class SearchTable(Table):
    """One search stage."""

    trials: Count | None = None  # the stage's total; default: 30, or the whole grid
    sampler: Literal["random", "sobol", "grid", "tpe"] = "random"
    space: dict[Searched, Range | GridValues] | None = None  # fine: computed from coarse when absent
    rungs: Rungs | None = None  # shares of the budget; default: ¼ and ½ where they are possible; []: none
    keep: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None  # share of a rung's lanes that go on; default: ½

    @model_validator(mode="after")
    def _halving_rules(self) -> Self:
        if self.rungs and self.sampler == "tpe":
            raise ValueError(
                f"`rungs` must be absent with the sampler 'tpe', whose model of the results would mistake early "
                f'figures for last ones, but got {list(self.rungs)}: leave them out, or use "sobol"'
            )
        if any(low >= high for low, high in itertools.pairwise(self.rungs or ())):
            raise ValueError(f"`rungs` must rise, but got {list(self.rungs or ())}")
        if self.keep is not None and (self.rungs == () or self.sampler == "tpe"):
            raise ValueError(f"`keep` must be absent where there are no rungs, but got {self.keep}")
        return self

    @property
    def kept_share(self) -> float:
        """Of the lanes that a rung ranks."""
        return KEEP if self.keep is None else self.keep

    @model_validator(mode="after")
    def _rules(self) -> Self:
        for name, values in (self.space or {}).items():
            low, high = LIMITS[name]
            ends = (values.low, values.high) if isinstance(values, Range) else (min(values), max(values))
            if isinstance(values, Range) == (self.sampler == "grid"):
                kind = "a list of values" if self.sampler == "grid" else "a table with low and high"
                raise ValueError(f"`space.{name}` must be {kind} for the sampler {self.sampler!r}")
            if not low <= ends[0] <= ends[1] <= high:
                raise ValueError(
                    f"`space.{name}` must lie within [{low:g}, {high:g}], but got {ends[0]:g} to {ends[1]:g}"
                )
            if isinstance(values, tuple) and len(set(values)) < len(values):
                raise ValueError(f"`space.{name}` must not repeat a value, but got {list(values)}")
        if self.space is not None and not self.space:
            raise ValueError("`space` must name at least one of l2, learning_rate, momentum")
        if self.sampler == "grid":
            if self.space is None:
                raise ValueError("`space` must list the values of a grid")
            if self.trials is not None and self.trials > self.grid_size():
                raise ValueError(
                    f"`trials` must be at most the grid's {self.grid_size()} settings, but got {self.trials}"
                )
        return self

    def grid_size(self) -> int:
        """Settings of a grid."""
        return math.prod(len(values) for values in (self.space or {}).values() if isinstance(values, tuple))

    @property
    def total(self) -> int:
        """Trials of the stage when it is finished."""
        return self.trials or (self.grid_size() if self.sampler == "grid" else 30)


class ConfirmTable(Table):
    """Finalists × repeats."""

    repeats: Repeats = 5


class FinalTable(Table):
    """The last training and the look at the test set."""

    repeats: Repeats = 5
    setting: dict[Searched, NotNegative] | None = None  # a fixed setting instead of confirm's winner
    train_on: Literal["train+valid", "train"] = "train+valid"

    @model_validator(mode="after")
    def _rules(self) -> Self:
        for name, value in (self.setting or {}).items():
            low, high = LIMITS[name]
            if not low <= value <= high or (name == "learning_rate" and value == 0.0):
                raise ValueError(f"`setting.{name}` must lie within [{low:g}, {high:g}], but got {value:g}")
        return self


class CompareTable(Table):
    """Variants × repeats."""

    repeats: Count = 5
    vary: dict[str, Any] = {}  # tables of data, network and training with a list of values in the place of each value

    @model_validator(mode="after")
    def _rules(self) -> Self:
        if not self.varied:
            raise ValueError(
                '`vary` must list values of at least one key, such as vary.network.batch_norm = ["none", "affine"]'
            )
        for path, values in self.varied.items():
            name = ".".join(("vary", *path))
            if not isinstance(values, list) or not values:
                raise ValueError(f"`{name}` must be a list of values, but got {values!r}")
            if any(value in values[:i] for i, value in enumerate(values)):
                raise ValueError(f"`{name}` must not repeat a value, but got {values!r}")
            if path in (("data", "source"), ("data", "label")):
                raise ValueError(f"`{name}` must be absent, for all variants are compared on the same data")
        if (n := math.prod(map(len, self.varied.values()))) > MOST_VARIANTS:
            raise ValueError(f"`vary` must have at most {MOST_VARIANTS} crossings, but got {n}: list fewer values")
        return self

    @property
    def varied(self) -> dict[tuple[str, ...], list[Any]]:
        """The values of each key, by its path, in the order of the file."""
        return dict(_leaves(self.vary))


def _leaves(table: Mapping[str, Any], before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*before, key))
        else:
            yield (*before, key), value
