"""Which tables there are: the data, the network and the space of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bnsearch.search.tables import Cyclic, Range

N_SETTINGS, N_SEEDS = 256, 8
RUNGS = (0.25, 0.5, 1.0)  # shares of the budget at which each network is measured; cycle ends


@dataclass(frozen=True)
class Spec:
    """One table: the same small network trained at many settings, with several seeds each, and measured on all other
    rows.
    """

    name: str
    source: str
    train: tuple[int, int]
    others: tuple[int, int]  # rows that validate and tell the truth
    default: Mapping[str, float]  # the setting that a study file would name
    sizes: tuple[int, ...]  # validation rows of the replays
    standardize: str = "per-dimension"
    components: float | None = 0.99
    hidden: tuple[int, ...] = (50, 50)
    momentum: float = 0.0
    batch_size: int = 100
    half_cycle_steps: int = 125
    cycles: int = 4
    space: Mapping[str, Range] = field(
        default_factory=lambda: {"l2": Range(low=1e-5, high=1e-1), "learning_rate": Range(low=1e-3, high=1.0)}
    )

    @property
    def schedule(self) -> Cyclic:
        """Triangles from nearly nothing to η."""
        return Cyclic(kind="cyclic", low=1e-4, half_cycle_steps=self.half_cycle_steps, cycles=self.cycles)

    @property
    def n_steps(self) -> int:
        """Of one training."""
        return self.cycles * 2 * self.half_cycle_steps


SPECS = {
    spec.name: spec
    for spec in (
        Spec(
            "cifar10",
            "cifar10",
            train=(0, 5_000),
            others=(5_000, 50_000),
            default={"l2": 0.005, "learning_rate": 0.1},
            sizes=(500, 1_000, 5_000),
        ),
        Spec(
            "digits",
            "digits",
            train=(0, 300),
            others=(300, 1_437),
            default={"l2": 1e-3, "learning_rate": 0.1},
            sizes=(100,),
            standardize="center",
            components=None,
            hidden=(64, 64),
            batch_size=50,
            half_cycle_steps=15,
        ),
        # held out: looked at once, when the rules stood
        Spec(
            "held-out",
            "cifar10",
            train=(45_000, 50_000),
            others=(0, 45_000),
            default={"l2": 0.005, "learning_rate": 0.01},
            sizes=(500, 1_000, 5_000),
            momentum=0.9,
            space={"l2": Range(low=1e-5, high=1e-1), "learning_rate": Range(low=1e-4, high=1e-1)},
        ),
    )
}
