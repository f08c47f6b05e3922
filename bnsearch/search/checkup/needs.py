"""How much memory and disk a study takes, about. Pure."""

from dataclasses import dataclass
from itertools import pairwise

from bnsearch.core.evaluate import EVALUATION_ROWS, KEPT_BYTES
from bnsearch.core.network import Architecture
from bnsearch.search.cohort import best_width

PROCESS_BYTES = 120_000_000  # Python with all that is loaded; measured, see `make bench ARGS=overhead`
TRIAL_BYTES = 20_000  # in the database, besides which images it got right
LIKELY_COMPONENTS = 1 / 4  # of the dimensions, for a share of the variance


@dataclass(frozen=True)
class Shape:
    """What a study's needs depend on."""

    n_rows: int
    n_dimensions: int
    item_bytes: int  # of a raw value
    n_valid: int
    components: float | None
    architecture: Architecture  # on raw inputs, the widest of all stages
    with_velocity: bool
    n_lanes: int  # of the largest stage, all of which may be under way
    n_trials: int  # of all stages
    n_parts: int  # of the data: the search's, confirm's repeats, final's
    n_models: int
    n_workers: int


@dataclass(frozen=True)
class Needs:
    """In bytes; 0 where it is not known."""

    memory: int = 0
    least_cache: int = 0
    most_cache: int = 0
    results: int = 0


def needs(shape: Shape) -> Needs:
    """Estimates, rather too high than too low; on components when their number is not known, as for a quarter."""
    raw = shape.n_rows * shape.n_dimensions * shape.item_bytes
    n_inputs = shape.n_dimensions
    if shape.components is not None:
        n_inputs = int(shape.components if shape.components >= 1 else LIKELY_COMPONENTS * shape.n_dimensions)
    projected = 0 if shape.components is None else 4 * shape.n_rows * n_inputs
    n_weights = sum(a * b for a, b in pairwise((n_inputs, *shape.architecture.widths[1:])))
    lane = 4 * n_weights * (2 if shape.with_velocity else 1)
    width = min(best_width(shape.architecture, shape.with_velocity), shape.n_lanes)
    evaluation = EVALUATION_ROWS * (n_inputs * (shape.item_bytes + 4) + 4 * sum(shape.architecture.widths[1:]) * width)
    is_kept = shape.architecture.batch_norm != "none" and len(shape.architecture.hidden) > 1
    evaluation += KEPT_BYTES if is_kept else 0
    training = shape.n_workers * (3 * width * lane + evaluation)
    fitting = 0 if shape.components is None else 24 * shape.n_dimensions**2  # a covariance and its eigenvectors
    memory = (1 + shape.n_workers) * PROCESS_BYTES + 2 * raw + projected + max(training, fitting)
    model = 8 * sum(a * b for a, b in pairwise((shape.n_dimensions, *shape.architecture.widths[1:])))
    results = 2 * shape.n_lanes * lane + shape.n_models * model + shape.n_trials * (TRIAL_BYTES + shape.n_valid // 6)
    basis = 0 if shape.components is None else 8 * shape.n_dimensions * n_inputs
    return Needs(memory, raw, raw + shape.n_parts * projected + (1 + shape.n_parts) * basis, results)
