"""Ties, paired differences, intervals and the winner, against computations of their own."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial
from scipy import stats

from bnsearch.search import choose
from bnsearch.search.trials import Trial, finished, from_optuna, pack_bits, unpack_bits
from tests.search.helpers import untimed

N_VALID = 24


def bits(text: str) -> NDArray[np.bool_]:
    return np.array([letter == "1" for letter in text])


def trial(number: int, correct: NDArray[np.bool_], valid_loss: float = 1.0) -> Trial:
    return Trial(number, {"l2": 10.0**-number}, float(correct.mean()), valid_loss, correct)


def without_value(number: int) -> Trial:
    return Trial(number, {"l2": 0.5}, None)


def random_trials(seed: int, n: int, n_valid: int = N_VALID) -> list[Trial]:
    """Trials of few images, so that equal values and equal losses occur."""
    rng = np.random.default_rng(seed)
    skill = rng.uniform(0.4, 0.9, n)
    return [trial(i, rng.random(n_valid) < skill[i], float(rng.integers(1, 3))) for i in range(n)]


def block(draws: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    return np.array(draws, dtype=np.float64)


many_trials = st.builds(random_trials, st.integers(0, 10_000), st.integers(1, 20))
tables = st.tuples(st.integers(2, 6), st.integers(2, 8)).flatmap(
    lambda shape: hnp.arrays(np.float64, shape, elements=st.integers(0, 1000).map(lambda i: i / 1000))
)

# ---- trials


def test_equal_values_are_ranked_by_cross_entropy_then_by_number() -> None:
    good, bad = bits("1110"), bits("1000")
    given_trials = [trial(4, good, 0.5), trial(3, bad, 0.1), trial(2, good, 0.4), trial(1, good, 0.5)]
    assert [t.number for t in choose.rank(given_trials)] == [2, 1, 4, 3]


def test_a_trial_of_unknown_cross_entropy_comes_after_its_equals() -> None:
    unknown = Trial(0, {}, 0.5)
    assert [t.number for t in choose.rank([unknown, trial(1, bits("10"), 9.0)])] == [1, 0]


def test_pruned_and_diverged_trials_are_counted_but_never_ranked() -> None:
    dims = {"l2": FloatDistribution(0.0, 1.0)}

    def frozen(state: TrialState, value: float | None = None, **attrs: Any) -> Any:
        return create_trial(state=state, params={"l2": 0.5}, distributions=dims, value=value, user_attrs=attrs)

    trials = [
        frozen(TrialState.PRUNED, 0.99),
        frozen(TrialState.FAIL, diverged=True),
        frozen(TrialState.FAIL),
        frozen(TrialState.RUNNING),
        frozen(TrialState.WAITING),
        frozen(TrialState.COMPLETE, 0.5, valid_loss=1.5, n_valid=10, valid_correct=pack_bits(bits("1111100000"))),
    ]
    for number, t in enumerate(trials):
        t.number = number
    over = finished(trials[::-1])
    assert [t.number for t in over] == [0, 1, 5]
    assert [t.complete for t in over] == [False, False, True]
    assert [t.number for t in choose.rank(over)] == [5]
    assert [t.number for t in choose.tie_set(over).tied] == [5]
    np.testing.assert_array_equal(from_optuna(trials[5]).correct, bits("1111100000"))


@given(hnp.arrays(np.bool_, st.integers(1, 70)))
def test_bits_survive_as_text_of_an_eighth_of_their_size(correct: NDArray[np.bool_]) -> None:
    text = pack_bits(correct)
    np.testing.assert_array_equal(unpack_bits(text, len(correct)), correct)
    assert len(text) == 4 * math.ceil(math.ceil(len(correct) / 8) / 3)


# ---- tie set


def test_mcnemars_error_by_hand() -> None:
    a, b = bits("1111111000"), bits("1111000001")  # 3 only a, 1 only b
    p10, p01, d = 0.3, 0.1, 0.2
    assert choose.mcnemar_error(a, b) == pytest.approx(math.sqrt((p10 + p01 - d**2) / 10))


def test_mcnemars_error_is_that_of_drawing_the_images_again() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random(200) < 0.7, rng.random(200) < 0.5
    b |= a & (rng.random(200) < 0.8)
    drawn = rng.integers(0, 200, (20_000, 200))
    differences = a[drawn].mean(axis=1) - b[drawn].mean(axis=1)
    assert choose.mcnemar_error(a, b) == pytest.approx(differences.std(), rel=0.02)
    assert choose.mcnemar_error(a, b) == pytest.approx(np.std(a.astype(float) - b) / math.sqrt(200))


@pytest.mark.parametrize(("a", "b"), [("1111", "1111"), ("0000", "0000"), ("1111", "0000")])
def test_mcnemars_error_without_any_disagreement_is_zero(a: str, b: str) -> None:
    assert choose.mcnemar_error(bits(a), bits(b)) == 0.0


def test_tied_means_within_one_standard_error() -> None:
    """Of 100 images the best has 60 right; the others lost some and won some of those it got wrong."""

    def changed(n_lost: int, n_won: int) -> NDArray[np.bool_]:
        correct = np.arange(100) < 60
        correct[:n_lost], correct[99 - n_won + 1 :] = False, True
        return correct

    best = trial(0, changed(0, 0))
    one_behind = trial(1, changed(13, 9))  # d .04, SE √(.22 − .0016)/10 = .0467
    too_far = trial(2, changed(13, 7))  # d .06, SE .0443
    subset = trial(3, changed(1, 0))  # d .01, SE √(.01 − .0001)/10 = .00995: just outside
    ties = choose.tie_set([too_far, one_behind, subset, best])
    assert [t.number for t in ties.tied] == [0, 1]
    assert ties.n_within == 2


@pytest.mark.parametrize(("n", "cap"), [(3, 3), (4, 3), (12, 3), (13, 4), (16, 4), (17, 5), (30, 8)])
def test_the_cap_is_a_quarter_of_the_trials_and_at_least_three(n: int, cap: int) -> None:
    everyone = [trial(i, bits("1100"), valid_loss=float(n - i)) for i in range(n)]
    ties = choose.tie_set(everyone)
    assert [t.number for t in ties.tied] == list(range(n))[: -cap - 1 : -1]  # lowest cross-entropy first
    assert ties.n_within == n


def test_no_completed_trial_gives_an_empty_tie_set() -> None:
    assert choose.tie_set([without_value(0)]) == choose.TieSet((), 0)
    assert choose.tie_set([]) == choose.TieSet((), 0)


@given(many_trials, st.randoms(use_true_random=False))
@untimed
def test_the_order_of_the_trials_does_not_matter(trials: list[Trial], random: Any) -> None:
    shuffled = random.sample(trials, len(trials))
    assert [t.number for t in choose.rank(trials)] == [t.number for t in choose.rank(shuffled)]
    one, other = choose.tie_set(trials), choose.tie_set(shuffled)
    assert [t.number for t in one.tied] == [t.number for t in other.tied]
    assert one.n_within == other.n_within


@given(many_trials, st.integers(0, 5))
@untimed
def test_the_best_is_always_tied_and_first_and_trials_without_value_never_are(
    trials: list[Trial], n_without: int
) -> None:
    ties = choose.tie_set(trials + [without_value(100 + i) for i in range(n_without)])
    assert ties.tied[0] is choose.rank(trials)[0]
    assert all(t.number < 100 for t in ties.tied)
    assert len(ties.tied) <= max(3, math.ceil((len(trials) + n_without) / 4))
    assert len(ties.tied) <= ties.n_within <= len(trials)
    accuracies = [t.value for t in ties.tied]
    assert accuracies == sorted(accuracies, reverse=True)


@given(many_trials, st.integers(0, 19))
@untimed
def test_the_copy_of_a_trial_changes_no_best(trials: list[Trial], which: int) -> None:
    copied = trials[which % len(trials)]
    copy = Trial(len(trials), copied.params, copied.value, copied.valid_loss, copied.correct)
    assert choose.rank([*trials, copy])[0] is choose.rank(trials)[0]
    assert choose.tie_set([*trials, copy]).tied[0] is choose.tie_set(trials).tied[0]


# ---- confirm


@pytest.mark.parametrize(("trainings", "m"), [(2, 2), (20, 2), (24, 2), (26, 3), (30, 3), (40, 4), (60, 4), (1000, 4)])
def test_a_tenth_of_the_trainings_are_finalists(trainings: float, m: int) -> None:
    assert choose.n_finalists(trainings) == m


def two_way(y: NDArray[np.float64]) -> float:
    """The residual mean square of a two-way analysis of variance, from sums of squares."""
    m, r = y.shape
    grand = y.sum() ** 2 / y.size
    total = (y**2).sum() - grand
    rows = (y.sum(axis=1) ** 2).sum() / r - grand
    columns = (y.sum(axis=0) ** 2).sum() / m - grand
    return float((total - rows - columns) / ((m - 1) * (r - 1)))


@given(tables)
@untimed
def test_blocks_are_a_two_way_analysis_of_variance(y: NDArray[np.float64]) -> None:
    found = choose.blocks(y)
    assert found.mse == pytest.approx(two_way(y), abs=1e-12)
    assert found.freedom == (len(y) - 1) * (y.shape[1] - 1)
    np.testing.assert_allclose(found.means, [sum(row) / len(row) for row in y])


@given(tables, st.floats(-0.2, 0.2))
@untimed
def test_harder_rows_for_everyone_change_nothing(y: NDArray[np.float64], harder: float) -> None:
    """A repeat's rows are shared: what they cost all finalists alike is no difference."""
    shifted = y + harder * np.arange(y.shape[1])
    assert choose.blocks(shifted).mse == pytest.approx(choose.blocks(y).mse, abs=1e-12)


def test_blocks_of_two_finalists_give_the_paired_t_test() -> None:
    y = block([[0.51, 0.53, 0.50, 0.54, 0.52], [0.50, 0.50, 0.49, 0.52, 0.515]])
    analysed = choose.blocks(y)
    interval = stats.ttest_rel(y[0], y[1]).confidence_interval(0.95)
    gap = analysed.means[0] - analysed.means[1]
    assert gap - choose.margin(analysed) == pytest.approx(interval.low)
    assert gap + choose.margin(analysed) == pytest.approx(interval.high)


@pytest.mark.parametrize(("n_means", "freedom"), [(2, 1), (2, 4), (3, 2), (3, 8), (5, 16), (5, 196), (10, 81)])
def test_the_studentised_range_agrees_with_scipy(n_means: int, freedom: int) -> None:
    expected = stats.studentized_range.ppf(0.95, n_means, freedom)
    assert choose.studentized_range(0.95, n_means, freedom) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("freedom", [1, 4, 30, 1000])
def test_the_studentised_range_of_two_means_is_a_two_sided_t(freedom: int) -> None:
    expected = math.sqrt(2) * stats.t.ppf(0.975, freedom)
    assert choose.studentized_range(0.95, 2, freedom) == pytest.approx(expected, rel=1e-9)


def test_not_separable_is_a_test_of_the_whole_range_of_finalists() -> None:
    y = block(
        [
            [0.550, 0.562, 0.541, 0.557, 0.549],  # the best
            [0.548, 0.557, 0.544, 0.551, 0.550],  # much the same
            [0.520, 0.531, 0.517, 0.522, 0.519],  # 3 points behind
        ]
    )
    margin = stats.studentized_range.ppf(0.95, 3, 8) * math.sqrt(two_way(y) / 5)
    behind = y.mean(axis=1).max() - y.mean(axis=1)
    assert [i for i in range(3) if behind[i] <= margin] == [0, 1]  # else the example shows nothing
    assert choose.not_separable(y) == [0, 1]
    assert choose.not_separable(y[[2, 1, 0]]) == [1, 2]


def test_a_lone_finalist_is_best() -> None:
    y = block([[0.5, 0.6, 0.7]])
    assert choose.not_separable(y) == [0]
    assert choose.winner(y) == 0
    assert choose.estimate(y) == pytest.approx(0.6)


def test_equal_finalists_are_not_separable_even_without_any_noise() -> None:
    assert choose.not_separable(block([[0.5, 0.6], [0.5, 0.6], [0.4, 0.5]])) == [0, 1]


@given(tables)
@untimed
def test_the_winner_has_the_highest_mean_and_is_not_separable_from_itself(y: NDArray[np.float64]) -> None:
    best = choose.winner(y)
    assert all(y[best].mean() >= row.mean() - 1e-12 for row in y)
    assert best in choose.not_separable(y)


@pytest.mark.parametrize("second", [[0.1, 0.2, 0.3], [0.2, 0.1, 0.3], [0.3, 0.2, 0.1]])
def test_the_first_of_equal_means_wins_in_whatever_order_they_are_added(second: list[float]) -> None:
    """Once, rounding decided: .3 + .2 + .1 is a little less than .1 + .2 + .3."""
    assert choose.winner(block([[0.3, 0.2, 0.1], second])) == 0


@given(st.lists(st.sampled_from([1e-4, 1e-3, 1e-2]), min_size=1, max_size=8), st.integers(0, 7), st.integers(1, 4))
def test_the_copy_of_a_setting_takes_no_place_of_a_finalist(l2: list[float], which: int, n: int) -> None:
    """Once, what coarse and fine had both tried took two places, and the next best went without."""
    settings = [{"l2": value} for value in l2]
    found = [settings[i] for i in choose.first_different(settings, n)]
    copied = [*settings, settings[which % len(settings)]]

    assert len(found) == min(n, len(set(l2)))
    assert found == [{"l2": value} for value in dict.fromkeys(l2)][:n]
    assert [copied[i] for i in choose.first_different(copied, n)] == found


@given(tables, st.integers(0, 5))
@untimed
def test_the_copy_of_a_finalist_changes_no_winner(y: NDArray[np.float64], which: int) -> None:
    copied = np.vstack([y, y[which % len(y)]])
    assert choose.winner(copied) == choose.winner(y)


@given(tables)
@untimed
def test_the_order_of_finalists_and_repeats_does_not_matter(y: NDArray[np.float64]) -> None:
    turned, mirrored = y[::-1], y[:, ::-1]
    means = y.mean(axis=1)
    if len(set(means.round(9))) == len(means):  # else the first of equals wins
        assert choose.winner(turned) == len(y) - 1 - choose.winner(y)
        assert choose.winner(mirrored) == choose.winner(y)
    assert choose.blocks(turned).mse == pytest.approx(choose.blocks(y).mse, abs=1e-12)
    assert choose.blocks(mirrored).mse == pytest.approx(choose.blocks(y).mse, abs=1e-12)


@pytest.mark.parametrize("n_finalists", [2, 3, 5])
def test_identical_settings_are_seldom_called_worse(n_finalists: int) -> None:
    """Once they were in 10 to 15 % of cases: the luckiest of them had been compared as if it were known beforehand."""
    rng = np.random.default_rng(5)
    n = 1000
    worse = 0
    for _ in range(n):
        y = 0.5 + rng.normal(0, 0.02, (1, 5)) + rng.normal(0, 0.01, (n_finalists, 5))
        worse += len(choose.not_separable(y)) < n_finalists
    assert worse / n == pytest.approx(0.05, abs=0.022)


@given(tables)
@untimed
def test_the_estimate_leaves_one_repeat_out(y: NDArray[np.float64]) -> None:
    m, n_repeats = y.shape
    seen = []
    for left_out in range(n_repeats):
        best, best_mean = 0, -1.0
        for i in range(m):
            mean = np.mean([y[i, r] for r in range(n_repeats) if r != left_out])
            if mean > best_mean:
                best, best_mean = i, float(mean)
        seen.append(y[best, left_out])
    assert choose.estimate(y) == pytest.approx(sum(seen) / n_repeats)


def test_the_estimate_of_equal_settings_is_not_their_luckiest() -> None:
    """The winner's own mean is biased upwards; the estimate must not be."""
    rng = np.random.default_rng(6)
    estimates, own = [], []
    for _ in range(300):
        y = rng.normal(0.5, 0.02, (5, 5))
        estimates.append(choose.estimate(y))
        own.append(y[choose.winner(y)].mean())
    assert np.mean(estimates) == pytest.approx(0.5, abs=0.002)
    assert np.mean(own) > 0.508


def test_repeats_needed_by_hand() -> None:
    y = block([[0.53, 0.55, 0.54], [0.52, 0.53, 0.54], [0.50, 0.53, 0.51]])
    t = stats.studentized_range.ppf(0.95, 3, 4) / math.sqrt(2)
    gap = y[0].mean() - y[1].mean()
    needed = 2 * two_way(y) * (t + 0.84) ** 2 / gap**2
    assert 10 < needed < 50
    assert choose.repeats_needed(y, 0, 1) == math.ceil(needed)


def test_more_than_fifty_repeats_are_not_worth_it() -> None:
    noise = np.array([[1, -1, 1, -1], [-1, 1, 1, -1]]) * 0.01
    assert choose.repeats_needed(0.5 + noise + [[0.001], [0.0]], 0, 1) is None
    assert choose.repeats_needed(0.5 + noise + [[0.05], [0.0]], 0, 1) is not None
    assert choose.repeats_needed(0.5 + noise, 0, 1) is None  # equal means: none would do


def test_repeats_needed_do_separate_four_times_in_five() -> None:
    rng = np.random.default_rng(7)
    sigma, gap = 0.01, 0.006

    def draw(n_repeats: int) -> NDArray[np.float64]:
        return rng.normal([[gap], [0.0]], sigma, (2, n_repeats))

    pilot = draw(400)
    needed = math.ceil(2 * choose.blocks(pilot).mse * (stats.t.ppf(0.975, 35) + 0.84) ** 2 / gap**2)
    assert choose.repeats_needed(np.array([[gap], [0.0]]) + _alternating(sigma, 36), 0, 1) == pytest.approx(
        needed, abs=4
    )
    power = np.mean([choose.not_separable(draw(needed)) == [0] for _ in range(400)])
    assert power == pytest.approx(0.8, abs=0.07)


def _alternating(sigma: float, n_repeats: int) -> NDArray[np.float64]:
    """Residuals of an exact mean square of sigma²."""
    signs = np.tile([1.0, -1.0], n_repeats // 2) * math.sqrt((n_repeats - 1) / n_repeats) * sigma / math.sqrt(2)
    return np.array([signs, -signs])


def test_optimism_by_hand() -> None:
    winner, default = trial(3, bits("1111111000")), trial(0, bits("1111000001"))
    y = block([[0.60, 0.62, 0.61], [0.50, 0.55, 0.54], [0.56, 0.58, 0.60]])
    found = choose.optimism(winner, default, y, won=0, default=2)
    assert found is not None
    assert found.value == pytest.approx((0.7 - 0.5) - (y[0].mean() - y[2].mean()))
    assert found.standard_error == pytest.approx(math.sqrt((0.4 - 0.04) / 10 + 2 * two_way(y) / 3))


@pytest.mark.parametrize("lacking", [without_value(1), Trial(1, {}, 0.5)])
def test_optimism_needs_two_completed_trials(lacking: Trial) -> None:
    y = block([[0.6, 0.7], [0.5, 0.5]])
    whole = trial(0, bits("10"))
    assert choose.optimism(whole, lacking, y, 0, 1) is None
    assert choose.optimism(lacking, whole, y, 0, 1) is None


def test_same_setting_asks_for_every_hyperparameter() -> None:
    setting = {"l2": 1e-3, "learning_rate": 0.1, "momentum": 0.9}
    assert choose.same_setting(setting, dict(reversed(setting.items())))
    for name, other in itertools.product(setting, (0.5, 0.0)):
        assert not choose.same_setting(setting, setting | {name: other})
