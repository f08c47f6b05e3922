"""What training on principal components changes: the order of settings, the accuracy of the best, the time."""

import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit
from scipy.stats import qmc, spearmanr

from benchmarks import protocol
from benchmarks.section import Options, Section, Table
from bnsearch.data.prepare import DataReference
from bnsearch.search.cohort import Lane
from bnsearch.search.executor import local_executor
from bnsearch.search.materials import Materials, cache_folder
from bnsearch.search.plan import Configuration
from bnsearch.search.schedule import train_lanes

TEXT = """Scrambled Sobol settings of λ in [1e-5, 1e-1] and η in [1e-2, 1], CIFAR-10, 3072-50-50-10, 2 cycles. Rank
correlations (Spearman) are between validation accuracies of the full input and those of another run with other initial
weights and another order of the rows, so full against full is what remains by chance alone; a diverged run counts as
0. At the two best settings (by the mean of both full runs) every repeat has its own weights and order, and all
variants share its order; differences to the full input of the same repeat, with a 90 % interval, which shows
equivalence (two one-sided tests at 5 %) where it lies within ±0.5 points. Time is that of the training on one core,
two workers at work."""
FULL, COMPONENTS = "full input", (0.95, 0.99, 0.999)
SPACE = {"l2": (1e-5, 1e-1), "learning_rate": (1e-2, 1.0)}
MARGIN = 0.005
Array = NDArray[np.float64]
Task = tuple[str, Configuration]  # the name of a repeat, and a setting


@dataclass(frozen=True)
class Variant:
    """The study on one kind of input, its data ready."""

    materials: Materials
    data: DataReference
    executor: Executor

    def train(self, tasks: Sequence[Task]) -> tuple[Array, float]:
        """Validation accuracies (n,), and seconds of training summed over all cores."""
        plans = {repeat: self.materials.plan("coarse", repeat, self.data) for repeat, _ in tasks}
        lanes = [Lane(i, plans[repeat], configuration) for i, (repeat, configuration) in enumerate(tasks)]
        accuracies, seconds = np.zeros(len(tasks)), 0.0
        for news in train_lanes(lanes, self.executor, protocol.N_WORKERS):
            for item in news:
                seconds += item.seconds
                if item.outcome is not None:
                    accuracies[item.number] = item.outcome.valid_accuracy[0]
        return accuracies, seconds


def measure(options: Options) -> Section:
    """First all settings once (the full input twice), then the two best in paired repeats."""
    half_cycle_steps = protocol.HALF_CYCLE_STEPS // (10 if options.quick else 1)
    n_settings, n_repeats = (6, 2) if options.quick else (20, options.rounds(8))
    settings = sobol(n_settings)
    with tempfile.TemporaryDirectory() as folder, local_executor(protocol.N_WORKERS) as executor:
        variants = {}
        for components in (None, *COMPONENTS):
            name = FULL if components is None else f"components {components}"
            study = protocol.protocol(Path(folder) / name, half_cycle_steps, components).study()
            made = protocol.materials(study, cache_folder(), options.data_dir, executor=lambda: executor)
            variants[name] = Variant(made, made.prepare("coarse", [made.part("coarse")])[0], executor)
        print("  all settings ...", file=sys.stderr)
        first, _ = variants[FULL].train([("first", s) for s in settings])
        second = {name: variant.train([("second", s) for s in settings]) for name, variant in variants.items()}
        best = np.argsort(-(first + second[FULL][0]))[:2]
        print("  paired repeats at the two best ...", file=sys.stderr)
        tasks = [(f"pair.{r}", settings[i]) for i in best for r in range(n_repeats)]
        pairs = {name: v.train(tasks)[0].reshape(len(best), n_repeats) for name, v in variants.items()}
        widths = {name: variant.data.n_inputs for name, variant in variants.items()}
    ranks = rank_table(first, second, widths, half_cycle_steps)
    equal, figures = equivalence_table([settings[i] for i in best], pairs)
    accuracies = {"first": first.tolist()} | {name: a.tolist() for name, (a, _) in second.items()}
    seconds = {name: s for name, (_, s) in second.items()}
    return Section(
        "Projection on principal components",
        TEXT,
        [ranks, equal],
        {"settings": settings, "accuracies": accuracies, "seconds": seconds, "pairs": figures},
    )


def sobol(n: int) -> list[Configuration]:
    """The first n points of a scrambled Sobol sequence."""
    points = qmc.Sobol(len(SPACE), scramble=True, seed=0).random_base2(int(np.ceil(np.log2(n))))[:n]
    low, high = np.log10([*SPACE.values()]).T
    return [Configuration(float(l2), float(rate), 0.0) for l2, rate in 10.0 ** (low + points * (high - low))]


def rank_table(
    first: Array, second: dict[str, tuple[Array, float]], widths: dict[str, int], half_cycle_steps: int
) -> Table:
    """How well each variant's order agrees with that of the full input's first run."""
    rows, full = [], second[FULL][1]
    for name, (accuracies, seconds) in second.items():
        rho = float(spearmanr(first, accuracies).statistic)
        best = 100 * accuracies.max()
        times = (f"{seconds / len(first):.2f}", f"{full / seconds:.2f}")
        rows.append((name, str(widths[name]), f"{rho:.3f}", f"{best:.2f}", *times))
    caption = f"**{len(first)} settings**, half cycles of {half_cycle_steps} steps, against the full input's first run"
    return Table(("", "inputs", "rank correlation", "best %", "s a trial", "full / this"), rows, caption)


def equivalence_table(best: list[Configuration], pairs: dict[str, Array]) -> tuple[Table, dict[str, list[list[float]]]]:
    """Mean differences to the full input with their 90 % intervals."""
    rows = []
    for i, setting in enumerate(best):
        where = f"λ {setting.l2:.2e}, η {setting.learning_rate:.3f}"
        full = pairs[FULL][i]
        rows.append((f"{where}, {FULL}", f"{100 * full.mean():.2f}", "", "", ""))
        for name, accuracies in pairs.items():
            if name == FULL:
                continue
            d = accuracies[i] - full
            half = float(stdtrit(len(d) - 1, 0.95)) * d.std(ddof=1) / np.sqrt(len(d))
            low, high = d.mean() - half, d.mean() + half
            shown = "yes" if low > -MARGIN and high < MARGIN else "not shown"
            interval = f"{100 * low:+.2f} to {100 * high:+.2f}"
            mean = f"{100 * accuracies[i].mean():.2f}"
            rows.append((f"{where}, {name}", mean, f"{100 * d.mean():+.2f}", interval, shown))
    caption = f"**The two best settings**, {pairs[FULL].shape[1]} paired repeats, validation accuracy in points"
    header = ("", "mean", "difference", "90 % interval", "within ±0.5")
    return Table(header, rows, caption), {name: a.tolist() for name, a in pairs.items()}
