"""A study's answer for programs."""

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]


def answer(study: str, rows: Sequence[Row], database: str) -> dict[str, Any]:
    """The result of the final stage with where it lies; rows as `bnsearch.search.stages.status` gives them."""
    result = next(row["result"] for row in rows if row["stage"] == "final")
    return {"study": study, **result, **so_far(study, rows, database)}


def so_far(study: str, rows: Sequence[Row], database: str) -> dict[str, Any]:
    """What the stages found, of a study that may not have come to its final stage."""
    stages = [{key: row[key] for key in ("stage", "trials", "best", "verdict", "stale", "findings")} for row in rows]
    return {"study": study, "database": database, "stages": stages}
