"""The methods by name, in the order of the tables."""

from functools import cache

from benchmarks.selection.methods import Method, chain, grids, one_level, stop_early
from bnsearch.search.tables import KEEP


@cache
def contest() -> dict[str, Method]:
    """All methods; slow samplers have fewer replays."""
    from benchmarks.selection.samplers import asked, gp, halves, quarter, tpe

    return {
        "chain": Method(chain("sobol"), True),
        "chain, halving": Method(chain("sobol", keep=KEEP), True),
        "chain, random": Method(chain("random"), True),
        "chain, finalists of both levels": Method(chain("sobol", finalists_of_all=True), True),
        "chain, halving, finalists of both": Method(chain("sobol", KEEP, finalists_of_all=True), True),
        "chain, halving, two finalists": Method(chain("sobol", keep=KEEP), True, n_best=2),
        "chain, halving ½, finalists of both": Method(chain("sobol", 0.5, finalists_of_all=True), True),
        "chain, no confirm": Method(chain("sobol"), False),
        "Sobol + confirm": Method(one_level("sobol"), True),
        "Sobol, halving + confirm": Method(one_level("sobol", keep=KEEP), True),
        "Sobol, halving ½ + confirm": Method(one_level("sobol", keep=0.5), True),
        "Sobol": Method(one_level("sobol"), False),
        "random + confirm": Method(one_level("random"), True),
        "random": Method(one_level("random"), False),
        "TPE + confirm": Method(asked(tpe), True),
        "TPE": Method(asked(tpe), False, 200),
        "TPE, pruner ½ + confirm": Method(asked(tpe, halves), True, 500),
        "TPE, pruner ¼": Method(asked(tpe, quarter), False, 100),
        "GP + confirm": Method(asked(gp), True, 20),
        "early stop": Method(stop_early, False),
        "B17's grids + confirm": Method(grids, True),
        "B17's grids": Method(grids, False),
    }
