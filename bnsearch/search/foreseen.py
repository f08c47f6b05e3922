"""The plan of a study as plain values: what each stage will take, what confirm will tell, what fits into a budget."""

import math
from typing import Any

import numpy as np

from bnsearch.search.choose import POWER_QUANTILE, Blocks, separating
from bnsearch.search.forecast import Forecast, own_totals
from bnsearch.search.proposing import MIN_REPEATS, MIN_TRIALS, Fixed, propose_totals
from bnsearch.search.remaining import Stored, Totals, Work, finalists
from bnsearch.search.tables import SearchTable

Values = dict[str, Any]


def foresee(forecast: Forecast, stored: Stored) -> Values:
    """What is left of the study file's own totals."""
    totals = own_totals(forecast.study)
    works = forecast.works(stored, totals)
    return {
        "stages": [_row(forecast, work) for work in works],
        "seconds": _all_seconds(forecast, works),
        "further_seconds": _further_seconds(forecast, stored, works),
        "resolves": _resolves(forecast, stored, totals, works),
    }


def propose(forecast: Forecast, stored: Stored, budget_seconds: float) -> Values:
    """Totals that fit into a budget, by the study file's keys, and the rungs that they come with."""

    def cost(totals: Totals) -> float:
        return _all_seconds(forecast, forecast.works(stored, totals))

    free = _fixed(forecast, stored)
    found = propose_totals(forecast.forms, stored, free, cost, budget_seconds)
    totals = found.totals
    works = forecast.works(stored, totals)
    chosen = {
        "coarse.trials": totals.coarse if free.coarse is None else None,
        "fine.trials": totals.fine if free.fine is None else None,
        "confirm.repeats": totals.confirm if free.confirm is None else None,
    }
    return {
        "budget_seconds": budget_seconds,
        "fits": found.fits,
        "set": {key: value for key, value in chosen.items() if value is not None},
        "rungs": _rungs(forecast, works),
        "seconds": found.seconds,
        "resolves": _resolves(forecast, stored, totals, works),
    }


def resolvable(n_finalists: int, n_repeats: int, n_valid: int) -> float:
    """The difference in accuracy that confirm will tell with a power of 80 %: (q(.95; M, ν)/√2 + .84)·√(2·MSE/R).

    Before any confirm the error is that of docs/selection.md, MSE = .10/n_valid + .0018².
    """
    mse = 0.10 / n_valid + 0.0018**2
    foreseen = Blocks(np.zeros(n_finalists), mse, (n_finalists - 1) * (n_repeats - 1), n_repeats)
    return (separating(foreseen) + POWER_QUANTILE) * math.sqrt(2.0 * mse / n_repeats)


def _fixed(forecast: Forecast, stored: Stored) -> Fixed:
    """A grid is never cut, and a stage that a later one was built on is brought to the total asked for."""
    own, levels, tables = own_totals(forecast.study), stored.levels, forecast.study.tables
    n_coarse = levels["coarse"].total if "coarse" in levels else 0
    n_fine = max((levels[level].total for level in ("fine", "fine2") if level in levels), default=0)
    n_confirm, n_final = (0 if s is None else s.n_repeats for s in (stored.confirm, stored.final))
    return Fixed(
        coarse=max(own.coarse, n_coarse) if tables.coarse.sampler == "grid" or "fine" in levels else None,
        fine=max(own.fine, n_fine) if tables.fine.sampler == "grid" or stored.confirm else None,
        confirm=max(own.confirm or 0, n_confirm) if stored.final else None,
        has_confirm=own.confirm is not None,
        final=max(own.final, n_final),
        least=Totals(max(MIN_TRIALS, n_coarse), max(MIN_TRIALS, n_fine), max(MIN_REPEATS, n_confirm), own.final),
    )


def _rungs(forecast: Forecast, works: list[Work]) -> dict[str, list[float]]:
    """Of the batches to come, where the study file leaves them to bnsearch: shares of a training."""
    found = {}
    for work in works:
        if work.rungs:
            table: SearchTable = getattr(forecast.study.tables, work.stage)
            if table.rungs is None:
                found[f"{work.stage}.rungs"] = [step / forecast.forms[work.stage].n_steps for step in work.rungs]
    return found


def _row(forecast: Forecast, work: Work) -> Values:
    return {
        "stage": work.stage,
        "finished": work.n_over,
        "trials": work.n_left,
        "steps": work.steps,
        "rungs": list(work.rungs),
        "seconds": forecast.seconds(work),
    }


def _further_seconds(forecast: Forecast, stored: Stored, works: list[Work]) -> float:
    """As many trials again as fine has, where its space is computed and its best may yet lie at an end."""
    fine = next(work for work in works if work.stage == "fine")
    has_further = "fine2" in stored.levels or ("fine" in stored.levels and stored.levels["fine"].further)
    if forecast.study.tables.fine.space is not None or has_further or fine.n_left == 0:
        return 0.0
    totals = own_totals(forecast.study)
    return sum(forecast.seconds(work) for work in forecast.works(Stored(), totals) if work.stage == "fine")


def _all_seconds(forecast: Forecast, works: list[Work]) -> float:
    left = sum(forecast.seconds(work) for work in works)
    return left + forecast.start_seconds if any(work.n_left for work in works) else 0.0


def _resolves(forecast: Forecast, stored: Stored, totals: Totals, works: list[Work]) -> Values | None:
    """None where nothing is left to confirm, or one finalist alone."""
    n_finalists = finalists(forecast.forms, totals, stored)
    is_left = any(work.stage == "confirm" and work.n_left for work in works)
    if not is_left or totals.confirm is None or n_finalists < 2:
        return None
    n_repeats = max(totals.confirm, stored.confirm.n_repeats if stored.confirm else 0)
    difference = resolvable(n_finalists, n_repeats, forecast.n_valid)
    return {"difference": difference, "finalists": n_finalists, "repeats": n_repeats, "n_valid": forecast.n_valid}
