"""One training step: bnsearch with K lanes beside PyTorch, JAX and scikit-learn, and the sgemm peak of the same run."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.peers.lanes import Lanes
from benchmarks.peers.sgemm import peaks
from benchmarks.problem import Array, Data, Problem, Trainer
from benchmarks.section import Options, Section, Table
from benchmarks.timing import Timing, Work, alternate, one_core

TEXT = """Milliseconds per network and step, batch 100, float32, gathering the batch included; one core, one BLAS
thread, competitors in turn (A B C, C B A). All add the gradient of λ Σ‖W‖² and follow the moving moments; scikit-learn
has no batch normalisation. Share of the peak: products only, forward and weight gradient of each layer, input gradient
of all but the first, over the fastest square sgemm of the same run. All but scikit-learn are checked to reach the same
weights after 20 steps (9 layers: 5). bnsearch reads images as bytes and standardises each batch; the others are given
float32."""
TORCH = "PyTorch eager, slices"
LARGEST_DIFFERENCE = 1e-2  # of weights after a case's check_steps, as a part of how far they have moved


@dataclass(frozen=True)
class Case:
    """A network, and how many lanes of it are tried."""

    name: str
    problem: Problem
    lanes: tuple[int, ...]
    vmap_lanes: tuple[int, ...] = (1, 4, 8, 20)
    check_steps: int = 20  # after which all must have the same weights


DEEP = (50, 30, 20, 20, 10, 10, 10, 10)
CASES = (
    Case("3072-50-50-10", Problem((3072, 50, 50, 10)), (1, 4, 8, 20, 40)),
    Case("3072-50-50-10, momentum 0.9", Problem((3072, 50, 50, 10), 0.9), (1, 4, 8, 20, 40)),
    Case("3072-512-256-10", Problem((3072, 512, 256, 10)), (1, 2, 4, 8), (1, 4, 8)),
    # narrow layers die on some batch, and then the rounding of a variance near 0 decides: compared before that
    Case("9 layers", Problem((3072, *DEEP, 10)), (1, 4, 8, 20, 40), check_steps=5),
    Case("550-50-50-10 (99 % of the variance)", Problem((550, 50, 50, 10)), (1, 4, 8, 20, 40)),
)
FULL = CASES[0].problem  # what components are compared with


def measure(options: Options) -> Section:
    """All cases, one after another."""
    n_rows, gflop = (5_000, 2.0) if options.quick else (45_000, 40.0)
    images, components = Data(n_rows, FULL.widths[0], images=True), Data(n_rows, 550, images=False)
    tables, figures = [], {}
    with one_core():
        for case in CASES:
            data = images if case.problem.widths[0] == FULL.widths[0] else components
            print(f"  {case.name} ...", file=sys.stderr)
            trainers, absent, worst = competitors(case, data)
            if data is components:
                trainers[f"{TORCH}, 3,072 inputs"] = _torch(FULL, images)
            work: dict[str, Work] = {name: steps(t, case.problem.flop, gflop) for name, t in trainers.items()}
            timings = alternate(peaks(options.quick) | work, options.rounds(7))
            table, found = report(case, timings, absent, list(work))
            tables.append(table)
            figures[case.name] = found | {"largest_difference": worst}
    return Section("Training step", TEXT, tables, figures)


def competitors(case: Case, data: Data) -> tuple[dict[str, Trainer], dict[str, str], float]:
    """Those that run, why others do not, and the largest difference of their weights."""
    problem = case.problem
    makers: dict[str, Callable[[], Trainer]] = {TORCH: lambda: _torch(problem, data)}
    makers |= {f"bnsearch, K = {k}": lambda k=k: Lanes(problem, data, k) for k in case.lanes}
    makers["PyTorch eager, DataLoader"] = lambda: _torch(problem, data, batches="loader")
    makers["PyTorch compiled, slices"] = lambda: _torch(problem, data, compiled=True)
    makers |= {f"JAX jit(vmap), K = {k}": lambda k=k: _vmap(problem, data, k) for k in case.vmap_lanes}
    trainers, absent, reference, worst = {}, {}, None, 0.0
    for name, make in makers.items():
        try:
            trainer = make()
            trainer.train(case.check_steps)
        except Exception as error:  # whatever keeps a competitor from running is told instead of its time
            absent[name] = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:120]}"
            continue
        if reference is None:
            reference = trainer.weights()
        found = difference(trainer.weights(), reference, problem.weights())
        if not found <= LARGEST_DIFFERENCE:
            raise SystemExit(f"{name} must reach the weights of {TORCH}, but differs by {found:.1e} ({case.name}).")
        trainers[name], worst = trainer, max(worst, found)
    from benchmarks.peers.scikit import Scikit

    trainers["scikit-learn MLPClassifier (no BN)"] = Scikit(problem, data)
    return trainers, absent, worst


def difference(weights: list[Array], reference: list[Array], initial: list[Array]) -> float:
    """The largest over all layers of ‖W − W_reference‖ / ‖W_reference − W_initial‖."""
    layers = zip(weights, reference, initial, strict=True)
    return max(float(np.linalg.norm(W - R) / np.linalg.norm(R - start)) for W, R, start in layers)


def steps(trainer: Trainer, flop: int, gflop: float) -> Work:
    """About as much arithmetic for each competitor; the unit is one network's step."""
    n_steps = max(5, round(1e9 * gflop / flop / trainer.n_lanes))

    def work() -> float:
        trainer.train(n_steps)
        return n_steps * trainer.n_lanes

    return work


def report(
    case: Case, timings: dict[str, Timing], absent: dict[str, str], names: list[str]
) -> tuple[Table, dict[str, object]]:
    """A row for each competitor."""
    peak, torch = 1 / min(t.median for n, t in timings.items() if n.startswith("sgemm")), timings[TORCH].median
    rows, figures = [], dict[str, object]()
    for name in names:
        timing = timings[name]
        flop = FULL.flop if name.endswith("3,072 inputs") else case.problem.flop
        share = flop / timing.median / 1e9 / peak
        ratio = torch / timing.median
        times = (f"{1e3 * timing.median:.3f}", f"{1e3 * timing.minimum:.3f}")
        rows.append((name, *times, f"{ratio:.2f}", "" if "no BN" in name else f"{100 * share:.0f} %"))
        figures[name] = timing.figures() | {"torch_over_this": ratio, "share_of_peak": share}
    rows += [(f"{name}: did not run ({reason})", "", "", "", "") for name, reason in absent.items()]
    caption = f"**{case.name}**: {case.problem.flop / 1e6:.1f} MFLOP; sgemm peak {peak:.0f} GFLOP/s"
    header = ("", "median ms", "minimum ms", "PyTorch slices / this", "share of peak")
    return Table(header, rows, caption), {"peak_gflops": peak, "absent": absent, "competitors": figures}


def _torch(problem: Problem, data: Data, **options: object) -> Trainer:
    # peers are imported late: one that is missing is reported like one that does not run
    from benchmarks.peers.pytorch import Torch

    return Torch(problem, data, **options)


def _vmap(problem: Problem, data: Data, n_lanes: int) -> Trainer:
    from benchmarks.peers.vmap import Vmap

    return Vmap(problem, data, n_lanes)
