"""Totals that fit into a budget."""

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bnsearch.search.cost import Form, Pace, new_rounds, trainings
from bnsearch.search.proposing import MARGIN, MAX_REPEATS, MAX_TRIALS, MIN_TRIALS, Fixed, Proposal, propose_totals
from bnsearch.search.remaining import (
    Overheads,
    Stored,
    StoredLevel,
    Totals,
    finalists,
    work_left,
    work_seconds,
)
from bnsearch.search.setups import STAGES, Stage
from tests.search.helpers import untimed

Machine = tuple[dict[Stage, Form], Pace]
fewer = settings(untimed, max_examples=10)  # each tries hundreds of totals
OVERHEADS = Overheads(trial=0.02, prepare=0.5)
LEAST = Totals(3, 3, 2, 2)


def alike(form: Form) -> dict[Stage, Form]:
    return dict.fromkeys(STAGES, form)


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """Stages of one network on one machine, with or without rungs."""
    step, lane = draw(st.floats(1e-4, 0.1)), draw(st.floats(1e-5, 0.05))
    widths = (1, draw(st.integers(2, 20)))
    pace = Pace(widths, tuple(step + lane * k for k in widths), (1e-5, 1e-5 * widths[1]))
    n_epochs = draw(st.integers(4, 20))
    plain = Form(n_epochs * 50, 50, evaluation_rows=100, end_rows=600)
    halved = replace(plain, rungs=(n_epochs // 4 * 50, n_epochs // 2 * 50))
    search = draw(st.sampled_from([plain, halved, replace(plain, batch=16)]))
    return {"coarse": search, "fine": search, "confirm": plain, "final": plain}, pace


def propose(
    machine: Machine, budget: float, *, fixed: Fixed | None = None, stored: Stored | None = None, workers: int = 2
) -> Proposal:
    (forms, pace), found = machine, stored or Stored()

    def cost(totals: Totals) -> float:
        works = work_left(forms, totals, found)
        return 1.0 + sum(work_seconds(work, forms[work.stage], pace, OVERHEADS, workers) for work in works)

    return propose_totals(forms, found, fixed or Fixed(), cost, budget)


budgets = st.floats(0.0, 4.0).map(lambda decades: 10.0**decades)  # seconds


@fewer
@given(machine=machines(), budget=budgets, workers=st.integers(1, 4))
def test_a_proposal_never_costs_more_than_the_budget(machine: Machine, budget: float, workers: int) -> None:
    found = propose(machine, budget, workers=workers)
    assert found.fits == (found.seconds <= budget)
    assert all(n is not None and n >= least for n, least in zip(found.totals, LEAST, strict=True))
    if not found.fits:
        assert found.totals == LEAST, "the least there can be"


@fewer
@given(machine=machines(), budget=budgets, factor=st.floats(1.0, 10.0))
def test_a_larger_budget_never_proposes_fewer_trials(machine: Machine, budget: float, factor: float) -> None:
    small, large = propose(machine, budget), propose(machine, factor * budget)
    assert large.totals.coarse >= small.totals.coarse
    assert large.totals.fine >= small.totals.fine
    assert large.fits >= small.fits


@fewer
@given(machine=machines(), budget=budgets)
def test_what_the_least_takes_is_a_budget_that_it_fits(machine: Machine, budget: float) -> None:
    found = propose(machine, budget)
    assume(not found.fits)
    assert propose(machine, 1.001 * found.seconds).fits


@fewer
@given(machine=machines(), budget=budgets)
def test_trials_are_shared_evenly_and_a_third_of_the_trainings_confirm(machine: Machine, budget: float) -> None:
    totals, (forms, _) = propose(machine, budget).totals, machine
    assert totals.coarse == totals.fine
    assert totals.confirm is not None
    n_finalists = finalists(forms, totals, Stored())
    n_trainings = 2 * trainings(forms["coarse"], new_rounds(forms["coarse"], totals.coarse))
    if MIN_TRIALS < totals.coarse < MAX_TRIALS and 2 < totals.confirm < MAX_REPEATS:
        assert abs(totals.confirm * n_finalists - n_trainings / 2) <= n_finalists / 2 + 1e-9


def test_the_largest_that_fits_is_proposed() -> None:
    machine = alike(Form(1000, 100, 100, 600)), Pace((1, 10), (0.01, 0.02), (1e-5, 1e-5))
    found, larger = propose(machine, 600.0), propose(machine, 660.0)
    assert 0.8 * MARGIN * 600 < found.seconds <= MARGIN * 600
    assert larger.totals.coarse > found.totals.coarse


SMALL: Machine = (alike(Form(10, 5, 10, 60)), Pace((1,), (0.1,), (1e-5,)))


def test_a_very_large_budget_ends_at_the_largest_totals() -> None:
    assert propose(SMALL, 1e9).totals == Totals(MAX_TRIALS, MAX_TRIALS, MAX_REPEATS, 2)


def test_grids_stay_whole_and_their_repeats_grow_with_the_budget() -> None:
    grid = Fixed(coarse=20, fine=12)
    repeats = [propose(SMALL, budget, fixed=grid).totals.confirm or 0 for budget in (24, 27, 30, 40)]
    assert repeats == sorted(repeats)
    assert repeats[0] < repeats[-1]
    assert propose(SMALL, 1.0, fixed=grid).totals == Totals(20, 12, 2, 2)
    assert propose(SMALL, 1e6, fixed=Fixed(20, 12, has_confirm=False)).totals == Totals(20, 12, None, 2)


@fewer
@given(machine=machines(), budget=budgets, n=st.integers(1, 40))
def test_what_is_there_already_is_neither_taken_back_nor_paid_again(machine: Machine, budget: float, n: int) -> None:
    stored = Stored({"coarse": StoredLevel(n, n, float(n))})
    least = Totals(max(3, n), 3, 2, 2)
    free = propose(machine, budget, stored=stored, fixed=Fixed(least=least))
    assert free.totals.coarse >= n
    fixed = propose(machine, budget, stored=stored, fixed=Fixed(coarse=n, least=least))
    assert fixed.totals.coarse == n
    assert fixed.totals.fine >= propose(machine, budget, fixed=Fixed(coarse=n)).totals.fine, "coarse costs nothing more"
