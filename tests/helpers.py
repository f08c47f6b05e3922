"""What the tests of the search and of the command line share: a study on the digits that takes a second."""

import signal

TINY = """
seed = 6
[data]
source = "digits"
train = [0, 240]
valid = [240, 300]
standardize = "center"
[network]
hidden = [8]
[training]
batch_size = 40
learning_rate = 0.1
l2 = 1e-3
momentum = 0.5
epochs = 4
[coarse]
trials = 6
space.l2 = { low = 1e-5, high = 1e-1 }
space.learning_rate = { low = 1e-2, high = 1.0 }
[fine]
trials = 4
[confirm]
repeats = 2
[final]
repeats = 2
"""


def changed(text: str, *changes: tuple[str, str]) -> str:
    """The text with other words in place of some, which must be there."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def heed_interrupts() -> None:
    """A shell lets what it begins in the background ignore SIGINT, and all its children with it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


# less of it, for tests that do not look at the numbers; fine goes on to a further level
BRIEF = changed(TINY, ("trials = 6", "trials = 4"), ("epochs = 4", "epochs = 2"))

# its best lies at no end, so that four studies are all there are
LEVEL = changed(BRIEF, ("seed = 6", "seed = 1"))
