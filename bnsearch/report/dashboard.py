"""optuna-dashboard for one's own eyes: on this machine alone, changing nothing, with the reports beside it.

A WSGI application around optuna-dashboard's, which has neither a password nor a mode in which it only shows.
"""

import logging
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from optuna_dashboard import wsgi

from bnsearch.errors import BnsearchError
from bnsearch.report.guard import READING, REPORT, Answer, refusal, told
from bnsearch.search.browsing import Browsed

ARTIFACT = re.compile(r"/artifacts/.*/([0-9a-fA-F-]+)")
NUMBERED = re.compile(r"/(?:api/studies|csv|artifacts)/(?P<study>\d+)(?:/(?P<trial>\d+)/.*|/.*)?")
PAGE = re.compile(r"/?|/dashboard(/.*)?")
# A picture is a picture: what it may hold besides is not run, should someone open it as a page.
INERT = ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
UNFRAMED = ("Content-Security-Policy", "frame-ancestors 'none'")  # what else a report may do it says itself
# Buttons that would change something are not shown; one that a later version adds is refused with a reason.
STYLE = """<style>
[aria-label="delete study"], [aria-label="rename study"], button:has([data-testid="AddBoxIcon"]),
button:has([data-testid="EditIcon"]), .MuiCard-root:has(> button [data-testid="UploadFileIcon"]) {
  display: none !important }
.MuiCardContent-root :is(th, td) { padding: 2px 10px }
#bnsearch { position: fixed; right: 12px; bottom: 8px; z-index: 1300; padding: 4px 12px; border-radius: 14px;
  background: #1a1f24; color: #fff; font: 13px/1.4 system-ui, sans-serif; opacity: 0.92 }
#bnsearch a { color: #8fd0ff }
</style>"""
Start = Callable[..., Any]
Headers = list[tuple[str, str]]


class Artifacts:
    """The pictures and tables of several studies, for reading."""

    def __init__(self, folders: Sequence[Path]):
        self.folders = folders

    def has(self, artifact_id: str) -> bool:
        """Is it in one of the folders?"""
        return any((folder / artifact_id).is_file() for folder in self.folders)

    def open_reader(self, artifact_id: str) -> IO[bytes]:
        """The first that there is."""
        return next(folder / artifact_id for folder in self.folders if (folder / artifact_id).is_file()).open("rb")

    def write(self, artifact_id: str, content_body: IO[bytes]) -> None:
        """Never."""
        raise PermissionError("This only shows.")

    def remove(self, artifact_id: str) -> None:
        """Never."""
        raise PermissionError("This only shows.")


class Dashboard:
    """The WSGI application."""

    def __init__(self, browsed: Browsed, artifacts: Artifacts, reports: Mapping[str, Callable[[], str]]):
        """reports: by the name of a study what makes its page."""
        logging.getLogger("optuna_dashboard").setLevel(logging.ERROR)
        self.browsed, self.artifacts, self.reports = browsed, artifacts, reports
        self.lock = threading.Lock()  # one connection, and one refresh at a time
        self.inner = self._inner()

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        # WSGI gives the bytes of an address as Latin-1 text, its percent signs already resolved
        path = environ.get("PATH_INFO", "").encode("latin-1", "replace").decode(errors="replace")
        refused = refusal(environ.get("HTTP_HOST", ""), environ["REQUEST_METHOD"], path)
        report, artifact = REPORT.fullmatch(path), ARTIFACT.fullmatch(path)
        if refused is not None:
            return _answered(environ, start_response, refused)
        if report:
            return _answered(environ, start_response, self._report(report[1]), UNFRAMED)
        if artifact and not self.artifacts.has(artifact[1]):
            return _answered(environ, start_response, told("404 Not Found", "The file of this artifact is gone."))
        environ = {"HTTP_ACCEPT_ENCODING": "", **environ}  # optuna-dashboard counts on it
        if path.rstrip("/") and PAGE.fullmatch(path):
            return self._page(environ, start_response)
        with self.lock:
            if path.startswith(("/api/studies", "/csv/")) and self.browsed.refresh():
                self.inner = self._inner()
            numbers = NUMBERED.fullmatch(path)
            if numbers and not self._has(numbers["study"], numbers["trial"]):
                return _answered(environ, start_response, told("404 Not Found", "No such study or trial is shown."))
            return self.inner(environ, _only_here(start_response, artifact is not None))  # type: ignore[no-any-return]

    def _inner(self) -> Any:
        return wsgi(self.browsed.storage, artifact_store=self.artifacts)

    def _has(self, study: str, trial: str | None) -> bool:
        """Are there a study, and a trial, of these numbers? optuna-dashboard fails where there are none."""
        try:
            self.browsed.storage.get_study_name_from_id(int(study))
            if trial is not None:
                self.browsed.storage.get_trial(int(trial))
        except (LookupError, OverflowError):
            return False
        return True

    def _report(self, name: str) -> Answer:
        if name not in self.reports:
            return told("404 Not Found", f"No report of {name!r} is shown here, only of {', '.join(self.reports)}.")
        try:
            return Answer("200 OK", "text/html; charset=utf-8", self.reports[name]())
        except BnsearchError as error:
            return Answer("500 Internal Server Error", "text/plain; charset=utf-8", f"{error}\n")

    def _page(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        """optuna-dashboard's page without the buttons that change something, and with links to the reports."""
        links = ", ".join(f'<a href="/report/{quote(name)}">{escape(name)}</a>' for name in self.reports)
        shown = f"read-only{' · report of ' + links if links else ''}"
        seen: list[tuple[str, Headers]] = []
        plain = {key: value for key, value in environ.items() if not key.startswith("HTTP_IF_")}
        with self.lock:
            chunks = self.inner(plain, lambda status, headers, *rest: seen.append((status, headers)))
            body = b"".join(chunks)
            getattr(chunks, "close", lambda: None)()
        status, headers = seen[0]
        body = body.replace(b"</head>", f"{STYLE}</head>".encode())
        body = body.replace(b"</body>", f'<div id="bnsearch">{shown}</div></body>'.encode())
        own = ("content-length", "last-modified", "etag")
        kept = [(name, value) for name, value in headers if name.lower() not in own]
        start_response(status, [*kept, ("Content-Length", str(len(body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _answered(environ: dict[str, Any], start_response: Start, answer: Answer, *more: tuple[str, str]) -> list[bytes]:
    body = answer.text.encode()
    allow = [("Allow", ", ".join(READING))] if answer.status.startswith("405") else []
    fixed = [("Content-Type", answer.kind), ("Content-Length", str(len(body))), ("X-Content-Type-Options", "nosniff")]
    start_response(answer.status, [*fixed, *allow, *more])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _only_here(start_response: Start, inert: bool) -> Start:
    """Without the header that would let any web page read what is shown."""

    def start(status: str, headers: Headers, *rest: Any) -> Any:
        kept = [(name, value) for name, value in headers if name.lower() != "access-control-allow-origin"]
        return start_response(status, [*kept, INERT] if inert else kept, *rest)

    return start
