"""Random generators derived by name: equal names give equal numbers on every machine and in every process."""

import hashlib

import numpy as np


def generator(seed: int, repeat: str, purpose: str, epoch: int | None = None) -> np.random.Generator:
    """The generator of one purpose ("weights", "order", ...), never of a lane, a trial or a process."""
    name = f"bnsearch/{seed}/{repeat}/{purpose}/{epoch}"
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()))
