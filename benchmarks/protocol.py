"""N19's protocol as both sides of a comparison run it: 10 coarse and 10 fine λ, then one setting for longer."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bnsearch.search.executor import ExecutorFactory, local_executor
from bnsearch.search.materials import Materials
from bnsearch.search.progress import Silent
from bnsearch.search.session import Session, open_session
from bnsearch.search.study_file import Study, load_study

STUDY = "cifar10-cyclic"
HALF_CYCLE_STEPS = 2250
COARSE, FINE = (1e-5, 1e-1), (1e-3, 1e-2)  # ranges of λ
COMPONENTS = 0.99
N_WORKERS = 2


@dataclass(frozen=True)
class Protocol:
    """The bundled study after N19, on all inputs or on components."""

    file: Path
    overrides: tuple[str, ...]

    def study(self, *more: str) -> Study:
        """With all overrides applied."""
        return load_study(str(self.file), (*self.overrides, *more))

    def options(self) -> list[str]:
        """The same for the command line."""
        return [option for override in self.overrides for option in ("--set", override)]


def protocol(folder: Path, half_cycle_steps: int, components: float | None, cycles: int = 2) -> Protocol:
    """A copy of the study file in a folder of its own, where its database and results will lie."""
    bundled = Path(__file__).parents[1] / "studies" / f"{STUDY}.toml"
    # TOML has no null: only a file without the key asks for all inputs
    lines = [line for line in bundled.read_text(encoding="utf-8").splitlines() if not line.startswith("components")]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{STUDY}.toml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    overrides = [
        f"training.schedule.half_cycle_steps={half_cycle_steps}",
        f"training.schedule.cycles={cycles}",
        f"fine.space.l2={{ low = {FINE[0]}, high = {FINE[1]}, log = true }}",
        "final.train_on=train",
        "final.repeats=2",
    ]
    if components is not None:
        overrides.append(f"data.components={components}")
    return Protocol(file, tuple(overrides))


def materials(study: Study, cache: Path, data_dir: Path | None, executor: ExecutorFactory | None = None) -> Materials:
    """A study's data and workers."""
    return Materials(study, cache, N_WORKERS, executor or partial(local_executor, N_WORKERS), Silent(), data_dir)


def prepare(study: Study, cache: Path, data_dir: Path | None) -> None:
    """Read the data and make them ready, unless the cache has them."""
    made = materials(study, cache, data_dir)
    try:
        made.prepare("coarse", [made.part("coarse")])
    finally:
        made.close()


def opened(
    study: Study, data_dir: Path | None, n_workers: int = N_WORKERS, executor: ExecutorFactory | None = None
) -> AbstractContextManager[Session]:
    """A study at work in this process, as one command sees it."""
    factory = executor or partial(local_executor, n_workers)
    return open_session(study, n_workers=n_workers, executor_factory=factory, progress=Silent(), data_dir=data_dir)
