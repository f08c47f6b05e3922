"""What a power cut may leave of a study: its files as they were at some moment, and of the database's log, which is not
brought to the disk at each commit, any beginning. It goes on from there to the same results.
"""

import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bnsearch.search.study_file import Study
from tests.search.disk_faults import SMALL, integrity, many_writes, outcome, run
from tests.search.faults import Disk, failing
from tests.search.helpers import tiny


class Camera(Disk):
    """Copies the study at every so many writes, of whatever kind."""

    def __init__(self, study: Study, album: Path, every: int):
        super().__init__(study.folder, None)
        self.study, self.album, self.every = study, album, every
        self.whole_logs: list[bool] = []  # of each picture: must its log be left whole?
        self.last, self.at_work = b"", False

    def fails(self) -> bool:
        """Never; but a picture may be taken."""
        if not self.at_work and super().fails() is False and self.count % self.every == 0:
            self.at_work = True
            self.take()
            self.at_work = False
        return False

    def take(self) -> None:
        """Without the index of the log, which is memory alone."""
        picture = self.album / str(len(self.whole_logs))
        shutil.copytree(self.study.folder, picture, ignore=shutil.ignore_patterns("*-shm", "*.lock"))
        database = (picture / "tiny.db").read_bytes() if (picture / "tiny.db").exists() else b""
        # before SQLite takes pages from the log into the database it brings the log to the disk
        self.whole_logs.append(database != self.last)
        self.last = database


def photographed(folder: Path, every: int = 3) -> tuple[dict[str, Any], list[bool]]:
    """A whole run; its outcome, and of each picture that was made on the way whether its log must be left whole."""
    study = tiny(folder / "study", text=SMALL)
    camera = Camera(study, folder / "album", every)
    with many_writes(folder), failing(camera):
        run(study)
    return outcome(study), camera.whole_logs


def survives(folder: Path, picture: int, share: float, whole: dict[str, Any]) -> None:
    """Go on from a picture with so much of its log."""
    place = folder / "after"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder / "album" / str(picture), place)
    log = place / "tiny.db-wal"
    if log.exists():
        content = log.read_bytes()
        log.write_bytes(content[: round(share * len(content))])
    study = tiny(place, text=SMALL)
    with many_writes(folder):
        run(study)
    assert outcome(study) == whole
    assert integrity(place / "tiny.db") == "ok"


def power_cuts(n: int = 300, seed: int = 0) -> dict[str, int | str]:
    """Figures of so many cuts at random moments."""
    rng = random.Random(seed)
    tried, problems = 0, []
    with TemporaryDirectory() as name:
        folder = Path(name)
        whole, logs = photographed(folder)
        for picture, share in cuts(rng, n, logs):
            tried += 1
            try:
                survives(folder, picture, share, whole)
            except Exception as error:
                problems.append(f"picture {picture}, {share:.3f} of the log: {type(error).__name__}: {error}"[:600])
    for problem in problems:
        print(problem)
    return {"name": "power cuts", "tried": tried, "survived": tried - len(problems), "moments": len(logs)}


def cuts(rng: random.Random, n: int, logs: Sequence[bool]) -> Iterator[tuple[int, float]]:
    """Moments, and how much of the log is left: all, nothing, or any share."""
    for _ in range(n):
        picture = rng.randrange(len(logs))
        yield picture, 1.0 if logs[picture] else rng.choice([0.0, 1.0, rng.random(), rng.random()])


if __name__ == "__main__":
    print(power_cuts())
