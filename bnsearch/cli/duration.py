"""A time as people write it on a command line."""

import math
import re

import click

FORM = re.compile(r"(?:([0-9.]+)h)?(?:([0-9.]+)m)?(?:([0-9.]+)s)?", re.ASCII)
UNITS = (3600.0, 60.0, 1.0)  # seconds


def duration(text: str) -> float:
    """90s, 30m, 1h30m -> seconds; refused unless it is a finite time above 0."""
    found = FORM.fullmatch(text)
    try:
        seconds = sum(float(n) * unit for n, unit in zip(found.groups(), UNITS, strict=True) if n) if found else 0.0
    except ValueError:  # 1.2.3s
        seconds = 0.0
    if not 0.0 < seconds < math.inf:
        raise click.BadParameter(f"it must be a time above 0 such as 90s, 30m or 1h30m, but got {text!r}.")
    return seconds
