"""What the page of the two reports reads from databases and models, on a study that takes a second."""

import numpy as np
import pytest

from benchmarks.reproduction.lag import lag, lag_of
from benchmarks.reproduction.ours import NotRun, Runs
from benchmarks.reproduction.panels import Line
from bnsearch.search.study_file import Study
from bnsearch.search.testing import run_test
from tests.helpers import TINY, changed
from tests.search.helpers import at_work, run, tiny, trials_of

TEXT = (
    changed(TINY[: TINY.index("[coarse]")], ('standardize = "center"', 'standardize = "none"'))
    + """
[compare]
repeats = 3
vary.network.batch_norm = ["none", "plain"]
vary.network.bn_average = [0.99, 0.0]
"""
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A comparison that was tested; only to be read."""
    found = tiny(tmp_path_factory.mktemp("runs") / "studies", text=TEXT)
    run(found, "compare")
    with at_work(found) as session:
        assert run_test(session)
    return found


@pytest.fixture
def runs(study: Study) -> Runs:
    return Runs(study.folder.parent)


def test_a_variant_is_found_by_its_keys_with_the_rows_of_its_seeds(study: Study, runs: Runs) -> None:
    group = runs.comparison("tiny").find(batch_norm="plain", bn_average=0.99)
    own = [
        t
        for t in trials_of(study, "compare")
        if t.params == {"network.batch_norm": "plain", "network.bn_average": 0.99}
    ]
    assert [t.number for t in group.trials] == [t.number for t in own] == [1, 4, 7]
    assert group.rows == "`tiny.compare` 1, 4, 7"
    found = group.over("valid_accuracy")
    assert found.mean == pytest.approx(np.mean([t.value for t in own]))
    assert found.sd == pytest.approx(np.std([t.value for t in own], ddof=1))
    by_exact = [t.user_attrs["test_accuracy_by_statistics"]["population"] for t in own]
    assert group.values("test.population") == by_exact


def test_curves_of_all_seeds(study: Study, runs: Runs) -> None:
    group = runs.comparison("tiny").find(batch_norm="none")
    steps, losses = group.curve("valid_loss")
    assert (steps.tolist(), losses.shape) == ([6, 12, 18, 24], (3, 4))
    line = Line.of("", group, "valid_accuracy", "#000000")
    assert line.y[:, -1] / 100 == pytest.approx([t.value for t in group.trials])


def test_the_lag_of_moving_averages_is_read_off_the_models(study: Study, runs: Runs) -> None:
    """Of inputs that are not centred, α = 0.99 leaves them far behind; α = 0 has the last batch's."""
    comparison = runs.comparison("tiny")
    slow, none = (comparison.find(batch_norm="plain", bn_average=a).trials[0].number for a in (0.99, 0.0))
    assert lag_of(study.results, slow) > 2 * lag_of(study.results, none) > 0.0


def test_the_lag_is_that_of_the_moments_folded() -> None:
    from bnsearch.core.init import he
    from bnsearch.core.layers import Moments
    from bnsearch.core.network import Architecture, initial_network
    from bnsearch.data.transform import fit_standardization
    from bnsearch.model import fold

    rng = np.random.default_rng(0)
    network = initial_network(Architecture(5, (3,), 2, "plain"), he, rng, 1, np.float64)
    X = rng.normal(2.0, 1.0, (50, 5))
    transform = fit_standardization(X, np.arange(50), 1.0, "center")
    mean, sd = rng.normal(size=(2, 1, 3, 1)), rng.uniform(0.5, 2.0, (2, 1, 3, 1))
    moving, exact = (fold(network, (Moments(m, s * s),), transform, ("a", "b")) for m, s in zip(mean, sd, strict=True))
    assert lag(moving, exact) == pytest.approx((np.abs(mean[0] - mean[1]) / sd[1]).ravel(), rel=1e-5)


def test_what_was_not_run_is_named(runs: Runs) -> None:
    with pytest.raises(NotRun, match="coarse tiny"):
        runs.stage("tiny", "coarse")
    with pytest.raises(NotRun, match="other"):
        runs.comparison("other")


def test_provenance(study: Study, runs: Runs) -> None:
    assert runs.provenance["seed"] == {str(study.seed)}
    assert len(runs.provenance["data_fingerprint"]) == 1
