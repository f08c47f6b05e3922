"""The gradient checks of both reports."""

from collections.abc import Iterator

from benchmarks.reproduction import theirs
from benchmarks.reproduction.experiments import B17_NETWORKS, B17_WAYS, CHECKS, N19_WAYS
from benchmarks.reproduction.ours import Runs
from benchmarks.reproduction.part import Part, scientific
from benchmarks.section import Table

PRINTED = "relative_to_sum"  # |Δ|/(|a| + |g|): what B17's figures are, and N19's formula
EXACT = "relative_error"  # max|Δ|/max|g|


def b17(runs: Runs) -> Part:
    """Why its check fails: the numeric side evaluates with frozen moments."""
    rows = [row for network in B17_NETWORKS for row in _b17_rows(runs, network)]
    header = ("", "B17", "frozen moments", "batch moments", "complex step, batch")
    caption = (
        "Largest |Δ|/(|a| + |g|) of a parameter, a by backpropagation, g by central differences; in the last column "
        "max|Δ|/max|g| by the complex step. 0 / 0: both are 0 but for rounding."
    )
    under = [r for n in B17_NETWORKS if n != "two layers with L2" for r in _under_norm(runs, n)]
    frozen, batch = min(r[0] for r in under), max(r[1] for r in under)
    commands = {c.name: c.text for c in CHECKS}
    return Part(
        "B17: its gradient check",
        [commands["b17 three layers with BN frozen"], commands["b17 three layers with BN complex"]],
        theirs.B17_GRADIENTS_QUOTE,
        (
            "**Why it failed.** Its backward pass was right; its numeric side was not the derivative of the same "
            "function. It evaluated the cost in test mode, with moving averages that do not move, while "
            "backpropagation goes through the moments of the batch. `--statistics frozen` makes the same mistake and "
            f"finds what B17 found: in every weight matrix under a batch normalisation the error is "
            f"{frozen:.2f}, and the last layer, under none, agrees. With the moments of the batch on both "
            f"sides, the weights of the same cold networks agree to {batch:.0e} of their largest derivative by the "
            "complex step: neither rounding nor the initial weights had to do with it.",
            "A bias before a batch normalisation has a derivative of 0, for the mean takes it off: B17's 1e-16 is "
            "right, and a relative error means nothing there. The printed 1.00 is |Δ|/(|a| + |g|), not B17's "
            "formula, |Δ|/max(|a|, |g|), which gives 1.04 for its first pair (0.01744 and −0.4814).",
        ),
        [Table(header, rows, caption)],
    )


def _b17_rows(runs: Runs, network: str) -> Iterator[tuple[str, ...]]:
    found = {way: _by_name(runs, f"b17 {network} {way}") for way in B17_WAYS if way != "frozen" or "BN" in network}
    for layer, pair in enumerate(theirs.B17_GRADIENTS[network]):
        for letter, reported in zip("Wb", pair, strict=True):
            name = f"dense.{layer}.{letter}"
            frozen = scientific(found["frozen"][name][PRINTED]) if "frozen" in found else ""
            cells = (frozen, scientific(found["batch"][name][PRINTED]), scientific(found["complex"][name][EXACT]))
            yield (f"{network}, {letter}{layer + 1}", scientific(reported), *cells)


def _under_norm(runs: Runs, network: str) -> Iterator[tuple[float, float]]:
    """Of each weight matrix under a batch normalisation: the error with frozen moments, and the complex step's."""
    frozen, exact = (_by_name(runs, f"b17 {network} {way}") for way in ("frozen", "complex"))
    for layer in range(len(theirs.B17_GRADIENTS[network]) - 1):
        name = f"dense.{layer}.W"
        yield frozen[name][PRINTED], exact[name][EXACT]


def n19(runs: Runs) -> Part:
    """Its figure 1."""
    found = {way: _by_name(runs, f"n19 {way}") for way in N19_WAYS}
    rows = [
        (
            name,
            scientific(reported),
            scientific(found["forward"][name][PRINTED]),
            scientific(found["forward"][name][EXACT]),
            scientific(found["complex"][name][EXACT]),
        )
        for name, reported in theirs.N19_GRADIENTS.items()
    ]
    header = ("", "N19, elementwise", "forward, elementwise", "forward, of the largest", "complex, of the largest")
    worst = max(found["complex"][name][EXACT] for name in theirs.N19_GRADIENTS)
    forward = max(found["forward"][name][EXACT] for name in theirs.N19_GRADIENTS)
    commands = {c.name: c.text for c in CHECKS}
    return Part(
        "N19: figure 1, its gradient check",
        [commands["n19 forward"], commands["n19 complex"]],
        "",
        (
            "Three layers of 50, λ = 0.5, 20 images, 10 dimensions, forward differences with h = 1e-6, as in the "
            "report; biases under batch normalisation are left out, as there. The elementwise error is decided by the "
            "smallest derivative of each array, which differs from one draw of the weights to the next: it is of "
            f"N19's kind, not of its digits. Against each array's largest derivative forward differences err by "
            f"{forward:.0e} at most, and the complex step shows that this is theirs: it leaves {worst:.0e}.",
        ),
        [Table(header, rows, "Elementwise: the largest |Δ|/(|a| + |g|) of a parameter; of the largest: max|Δ|/max|g|")],
    )


def _by_name(runs: Runs, check: str) -> dict[str, dict[str, float]]:
    return {row["parameter"]: row for row in runs.check(check)}
