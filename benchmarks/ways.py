"""Where the time of a step goes, and what each way of making it faster gives."""

import sys
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.linalg.blas import sgemm

from benchmarks.peers.lanes import Lanes
from benchmarks.peers.sgemm import peaks
from benchmarks.problem import BATCH, Data, Problem
from benchmarks.section import Options, Section, Table
from benchmarks.timing import Timing, Work, alternate, one_core
from bnsearch.core import blas, evaluate
from bnsearch.data.prepare import PartRows

TEXT = """Milliseconds per network and step (3072-50-50-10, batch 100, float32), one core, one BLAS thread, everything
in turn. Each part is timed by itself on arrays of the step's shapes, so parts add up only about; "the rest" is the step
minus them."""
PROBLEM, LANES = Problem((3072, 50, 50, 10)), (1, 8, 20)
WIDE = Problem((3072, 512, 256, 10))
WIDTHS = ((PROBLEM, (5, 10, 20, 40)), (Problem(PROBLEM.widths, 0.9), (5, 10, 20, 40)), (WIDE, (1, 2, 4, 8)))
N_ROWS = 45_000
EVALUATED, EPOCH_STEPS = 5_000, 450


class Arrays:
    """A step's arrays for K lanes, and the parts of a step on them."""

    def __init__(self, data: Data, k: int):
        rng = np.random.default_rng(2)
        self.k, self.data, self.step = k, data, 0
        n, d = PROBLEM.widths[1], PROBLEM.widths[0]
        self.x = np.ascontiguousarray(data.X[:BATCH])
        self.W = rng.standard_normal((k, n, d), dtype=np.float32)
        self.velocity, self.buffer = np.zeros_like(self.W), np.zeros_like(self.W)
        self.d = rng.standard_normal((k, n, BATCH), dtype=np.float32) * np.float32(1e-6)
        self.out = np.empty((k, n, BATCH), np.float32)
        self.keep = np.full((k, 1, 1), 1 - 1e-6, np.float32)
        everything = np.arange(len(data.y))
        self.of_bytes = PartRows(data.raw if data.raw is not None else data.X, data.y, everything, data.transform)
        self.of_floats = PartRows(data.X, data.y, everything, None)

    def gather(self, rows: PartRows) -> None:
        """The next minibatch."""
        self.step += 1
        rows.batch(self.data.rows(self.step))

    def weigh_apart(self) -> None:
        """A product for each lane."""
        for lane in range(self.k):
            sgemm(1.0, self.x.T, self.W[lane].T, trans_a=1, c=self.out[lane].T, overwrite_c=1)

    def add_apart(self) -> None:
        """A product that adds, for each lane."""
        for lane in range(self.k):
            sgemm(1.0, self.x.T, self.d[lane].T, beta=1.0, c=self.W[lane].T, overwrite_c=1)

    def write_then_add(self) -> None:
        """The gradient in an array of its own, with decay, then the step: as most code does."""
        np.matmul(self.d, self.x, out=self.buffer)
        self.buffer += self.keep * self.W
        self.W -= self.buffer

    def shrink_and_add(self) -> None:
        """W ← keep·W + d x: as here."""
        self.W *= self.keep
        blas.add_outer(self.W, self.d, self.x)

    def momentum_in_passes(self) -> None:
        """v ← v + decay·W; W ← W − v, all lanes at a time."""
        self.velocity += self.keep * self.W
        self.W -= self.velocity


def measure(options: Options) -> Section:
    """Parts, alternatives, widths."""
    data = Data(5_000 if options.quick else N_ROWS, PROBLEM.widths[0], images=True)
    gflop, rounds = (1.0 if options.quick else 10.0), options.rounds(9)
    with one_core():
        parts, found = parts_table(data, gflop, rounds, options.quick)
        others, also = ways_table(data, gflop, rounds)
        widths, more = widths_table(data, gflop, rounds)
    return Section("Parts of a step", TEXT, [parts, others, widths], {"parts": found, "ways": also, "widths": more})


def parts_table(data: Data, gflop: float, rounds: int, quick: bool) -> tuple[Table, object]:
    """What the step consists of."""
    work: dict[str, Work] = dict(peaks(quick))
    for k in LANES:
        print(f"  parts, K = {k} ...", file=sys.stderr)
        a, lanes = Arrays(data, k), Lanes(PROBLEM, data, k)
        calls: dict[str, Callable[[], object]] = {
            "whole step": partial(lanes.train, 1),
            "gather and standardise the batch": partial(a.gather, a.of_bytes),
            "W x": partial(blas.weigh, a.W, a.x, a.out),
            "W + d xᵀ": partial(blas.add_outer, a.W, a.d, a.x),
            "decay of W": partial(np.multiply, a.W, a.keep, a.W),
        }
        work |= {f"{k}: {name}": repeated(call, gflop, k) for name, call in calls.items()}
    timings = alternate(work, rounds)
    peak = 1 / min(t.median for n, t in timings.items() if n.startswith("sgemm"))
    per_product = 2 * BATCH * PROBLEM.widths[0] * PROBLEM.widths[1]
    names = [name.removeprefix(f"{LANES[0]}: ") for name in timings if name.startswith(f"{LANES[0]}: ")]
    rows = []
    for name in names:
        cells = [1e3 * timings[f"{k}: {name}"].median for k in LANES]
        shares = [f" ({1e-7 * per_product / (1e-3 * c) / peak:.0f} % of the peak)" for c in cells]
        is_product = name in ("W x", "W + d xᵀ")
        rows.append((name, *(f"{c:.3f}{s if is_product else ''}" for c, s in zip(cells, shares, strict=True))))
    rest = [
        1e3 * (timings[f"{k}: {names[0]}"].median - sum(timings[f"{k}: {n}"].median for n in names[1:])) for k in LANES
    ]
    rows.append(("the rest (normalisation, other layers, loss)", *(f"{r:.3f}" for r in rest)))
    caption = (
        f"**Parts**: sgemm peak {peak:.0f} GFLOP/s; the first layer's two products are {2 * per_product / 1e6:.1f} "
    )
    caption += f"of {PROBLEM.flop / 1e6:.1f} MFLOP"
    return Table(("", *(f"K = {k}" for k in LANES)), rows, caption), figures(timings)


def ways_table(data: Data, gflop: float, rounds: int) -> tuple[Table, object]:
    """Each way beside what it takes the place of, K = 20."""
    print("  ways ...", file=sys.stderr)
    k = 20
    a, lanes = Arrays(data, k), Lanes(PROBLEM, data, k)
    valid = PartRows(data.raw, data.y, np.arange(EVALUATED), data.transform) if data.raw is not None else a.of_floats
    decay = a.keep - np.float32(1)
    evaluated = partial(evaluate.evaluate, lanes.state, lanes.settings, valid, lanes.state.moments)
    weigh, add = partial(blas.weigh, a.W, a.x, a.out), partial(blas.add_outer, a.W, a.d, a.x)
    floats, of_bytes = partial(a.gather, a.of_floats), partial(a.gather, a.of_bytes)
    by_lane = partial(blas.descend, a.W, a.velocity, decay)
    pairs: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
        ("batch: float32 gathered / bytes gathered, standardised", floats, of_bytes),
        ("W x: lane by lane / one tall product", a.weigh_apart, weigh),
        ("W + d xᵀ: lane by lane / one tall product", a.add_apart, add),
        ("update: gradient written, then added / added by BLAS", a.write_then_add, a.shrink_and_add),
        ("momentum: all lanes a pass / lane by lane", a.momentum_in_passes, by_lane),
    ]
    work: dict[str, Work] = {}
    for name, before, now in pairs:
        work[f"before {name}"], work[f"now {name}"] = repeated(before, gflop, k), repeated(now, gflop, k)
    last = f"a step / its share of an evaluation of {EVALUATED:,} rows every {EPOCH_STEPS} steps"
    work[f"before {last}"] = repeated(partial(lanes.train, 1), gflop, k)
    work[f"now {last}"] = once_in(evaluated, EPOCH_STEPS, k)
    timings = alternate(work, rounds)
    rows = []
    for name in [*(p[0] for p in pairs), last]:
        before, now = timings[f"before {name}"], timings[f"now {name}"]
        rows.append(
            (name, f"{1e3 * before.median:.4f}", f"{1e3 * now.median:.4f}", f"{before.median / now.median:.2f}")
        )
    return Table(("K = 20: first / second", "first ms", "second ms", "ratio"), rows, "**Ways**"), figures(timings)


def widths_table(data: Data, gflop: float, rounds: int) -> tuple[Table, object]:
    """How many lanes together are best, by the weights (and velocities) that a step goes through."""
    work: dict[str, Work] = {}
    for problem, widths in WIDTHS:
        for k in widths:
            print(f"  {name_of(problem)}, K = {k} ...", file=sys.stderr)
            n_steps = max(2, round(1e9 * gflop / problem.flop / k))
            work[f"{name_of(problem)}, {k}"] = steps(Lanes(problem, data, k), n_steps, k)
    timings = alternate(work, rounds)
    rows = []
    for problem, widths in WIDTHS:
        for k in widths:
            timing = timings[f"{name_of(problem)}, {k}"]
            megabytes = 4e-6 * k * sum(W.size for W in problem.weights()) * (2 if problem.momentum else 1)
            times = (f"{1e3 * seconds:.3f}" for seconds in (timing.median, timing.minimum))
            rows.append((name_of(problem), str(k), f"{megabytes:.0f}", *times))
    return Table(("", "K", "MB of weights", "median ms", "minimum ms"), rows, "**Widths**"), figures(timings)


def name_of(problem: Problem) -> str:
    """For a table."""
    return "-".join(map(str, problem.widths)) + (", momentum" if problem.momentum else "")


def steps(lanes: Lanes, n_steps: int, k: int) -> Work:
    """Whole steps; the unit is one network's."""

    def work() -> float:
        lanes.train(n_steps)
        return n_steps * k

    return work


def once_in(call: Callable[[], object], n_steps: int, k: int) -> Work:
    """One call, counted as its share of so many steps of each network."""

    def work() -> float:
        call()
        return n_steps * k

    return work


def repeated(call: Callable[[], object], gflop: float, k: int) -> Work:
    """About as many steps of each; the unit is one network's."""
    n = max(10, round(1e9 * gflop / PROBLEM.flop / k))

    def work() -> float:
        for _ in range(n):
            call()
        return n * k

    return work


def figures(timings: dict[str, Timing]) -> dict[str, dict[str, float]]:
    """For RESULTS.json."""
    return {name: timing.figures() for name, timing in timings.items()}
