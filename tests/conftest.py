"""What every test runs under: one BLAS thread, as in a worker, a cache folder of the session's own, and all the time
that it takes.
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

from tests.helpers import heed_interrupts

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")  # a slow machine is no failure of a property

pytest_plugins = ["tests.browser", "tests.postgres"]


@pytest.fixture(scope="session", autouse=True)
def interrupts() -> None:
    """Signals are sent to processes that the tests begin."""
    heed_interrupts()


@pytest.fixture(scope="session", autouse=True)
def one_thread_of_blas() -> Iterator[None]:
    """A lane's bits are promised for one thread alone."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Prepared data are shared by the tests, and never with what the user has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BNSEARCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
