"""Being told what goes on, so that someone can be shown it."""

from typing import Protocol

from bnsearch.search.live import View


class Progress(Protocol):
    """One thing at a time: it begins, so much of it is done, it ends."""

    def begin(self, what: str, total: float | None = None) -> None:
        """Something starts; total in units of its own, None where it is not known."""

    def update(self, done: float, note: str = "") -> None:
        """So much of it is done."""

    def show(self, view: View) -> None:
        """So far is the training of a stage; in place of `update`."""

    def end(self) -> None:
        """It is over."""

    def say(self, text: str) -> None:
        """Something that is worth a line of its own has happened."""


class Silent:
    """Shows nothing."""

    def begin(self, what: str, total: float | None = None) -> None:
        """Nothing."""

    def update(self, done: float, note: str = "") -> None:
        """Nothing."""

    def show(self, view: View) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""


class Download:
    """A download's progress, in the form that `bnsearch.data.cifar10.Progress` asks for."""

    def __init__(self, progress: Progress):
        self.progress = progress
        self.total = 0  # bytes, set before the first update
        self.done = 0

    def update(self, n_bytes: int, /) -> None:
        """So many bytes more."""
        if self.done == 0:
            self.progress.begin("Downloading", self.total)
        self.done += n_bytes
        self.progress.update(self.done, f"{self.done / 1e6:.0f} of {self.total / 1e6:.0f} MB")

    def reset(self) -> None:
        """From the beginning, as before the last jump to the end."""
        self.done = 0

    def close(self) -> None:
        """It is over."""
        self.progress.end()
