"""Which requests a dashboard serves that is for one's own eyes and changes nothing."""

import json
import re
from typing import NamedTuple

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
READING = ("GET", "HEAD")
# Every route of optuna-dashboard that only reads; what a later version adds is refused until it has been looked at.
ROUTES = re.compile(
    r"/?|/dashboard(/.*)?|/favicon\.ico|/static/.*|/api/meta|/api/studies|/api/studies/\d+"
    r"|/api/studies/\d+/param_importances|/api/studies/\d+/plot/\w+|/csv/\d+|/artifacts/\d+(/\d+)?/[0-9a-fA-F-]+"
)
REPORT = re.compile(r"/report/([^/]+)")


class Answer(NamedTuple):
    """A whole answer."""

    status: str
    kind: str  # content type
    text: str


def told(status: str, reason: str) -> Answer:
    """A refusal in the form that optuna-dashboard's pages understand."""
    return Answer(status, "application/json", json.dumps({"reason": reason}))


def refusal(host: str, method: str, path: str) -> Answer | None:
    """Why a request is not served; None where it is.

    host: the Host header. Any page that a browser has open can send requests here, under a name of its own that it
    lets point to this machine, and only this header tells (DNS rebinding).
    """
    name = re.sub(r":\d+$", "", host)
    if name.lower() not in LOOPBACK:
        names = ", ".join(LOOPBACK)
        return told(
            "403 Forbidden", f"The host must be one of {names}, but is {host!r}: this is for one machine alone."
        )
    if method not in READING:
        return told(
            "405 Method Not Allowed", "This only shows, so that nothing is changed by accident; bnsearch changes."
        )
    if not (ROUTES.fullmatch(path.rstrip("/")) or REPORT.fullmatch(path)):
        return told("404 Not Found", f"There is nothing at {path}.")
    return None
