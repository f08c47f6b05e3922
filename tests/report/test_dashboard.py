"""What the dashboard answers: studies with notes and pictures, as they are by now; nothing to anybody else, and nothing
that changes anything.
"""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from bnsearch.errors import DataError
from bnsearch.report.dashboard import Artifacts, Dashboard
from bnsearch.search import browsing
from bnsearch.search.address import default_url
from bnsearch.search.artifacts import artifact_folder
from bnsearch.search.browsing import browse
from bnsearch.search.study_file import Study
from tests.report.conftest import LITTLE, WORDS
from tests.report.test_guard import WRITING, example
from tests.report.test_server import get, served
from tests.search.helpers import tiny
from tests.search.test_presenting import run
from tests.search.test_sqlite import everything


@dataclass
class Answer:
    """What came back."""

    status: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """As a document."""
        return json.loads(self.body)


def broken() -> str:
    raise DataError("The test rows must be there, but are gone.")


@pytest.fixture
def dashboard(shown: Study, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dashboard]:
    monkeypatch.setattr(browsing, "MIN_REST_SECONDS", 0.0)
    monkeypatch.setattr(browsing, "REST", 0)
    browsed = browse([default_url(shown.folder, shown.name)])
    reports = {"tiny": lambda: "<!DOCTYPE html><title>Report</title>", "broken": broken}
    yield Dashboard(browsed, Artifacts([artifact_folder(shown)]), reports)
    browsed.close()


def ask(
    dashboard: Dashboard, path: str, method: str = "GET", host: str = "127.0.0.1:8080", body: bytes = b""
) -> Answer:
    got: list[tuple[str, list[tuple[str, str]]]] = []
    path, _, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "HTTP_HOST": host,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
    }
    chunks = dashboard(environ, lambda status, headers, *rest: got.append((status, headers)))
    content = b"".join(chunks)
    getattr(chunks, "close", lambda: None)()
    ((status, headers),) = got
    return Answer(status, dict(headers), content)


def test_the_studies(dashboard: Dashboard) -> None:
    found = ask(dashboard, "/api/studies").json["study_summaries"]
    assert [study["study_name"] for study in found] == ["tiny.coarse", "tiny.fine", "tiny.confirm"]


def test_a_study_has_a_note_a_name_of_its_value_and_numbers_to_sort_by(dashboard: Dashboard) -> None:
    found = ask(dashboard, "/api/studies/1").json
    assert found["note"]["body"].startswith("## tiny.coarse: the wide search")
    assert found["objective_names"] == ["validation accuracy"]
    sortable = {column["key"] for column in found["union_user_attrs"] if column["sortable"]}
    assert {"wall_seconds", "train_loss", "valid_loss", "n_valid"} <= sortable


def test_the_best_trials_have_pictures_and_tables_that_are_served(dashboard: Dashboard, shown: Study) -> None:
    trials = ask(dashboard, "/api/studies/1").json["trials"]
    with_some = [trial for trial in trials if trial["artifacts"]]
    assert len(with_some) == 5
    for trial in with_some:
        for artifact in trial["artifacts"]:
            answer = ask(dashboard, f"/artifacts/1/{trial['trial_id']}/{artifact['artifact_id']}")
            assert answer.status == "200 OK"
            assert answer.headers["Content-Type"].startswith(artifact["mimetype"])
            assert answer.body == (artifact_folder(shown) / artifact["artifact_id"]).read_bytes()
            assert "sandbox" in answer.headers["Content-Security-Policy"]
            assert not [name for name in answer.headers if name.lower() == "access-control-allow-origin"]


def test_an_artifact_whose_file_is_gone(dashboard: Dashboard, shown: Study) -> None:
    trial = next(trial for trial in ask(dashboard, "/api/studies/1").json["trials"] if trial["artifacts"])
    for path in artifact_folder(shown).iterdir():
        path.unlink()
    answer = ask(dashboard, f"/artifacts/1/{trial['trial_id']}/{trial['artifacts'][0]['artifact_id']}")
    assert answer.status == "404 Not Found"


@pytest.mark.parametrize(
    "path",
    [
        *("/artifacts/1/999/{}", "/artifacts/99/1/{}", "/artifacts/99/{}", f"/artifacts/1/{10**30}/{{}}", "/csv/99"),
        *("/api/studies/99", "/api/studies/99/plot/edf", "/api/studies/99/param_importances", f"/csv/{10**30}"),
    ],
)
def test_a_study_or_trial_that_is_not_there(dashboard: Dashboard, shown: Study, path: str) -> None:
    """optuna-dashboard answered with its traceback."""
    name = next(artifact_folder(shown).iterdir()).name
    assert ask(dashboard, path.format(name)).status == "404 Not Found"


@pytest.mark.parametrize("path", ["/api/meta", "/csv/1", "/static/bundle.js", "/favicon.ico", "/dashboard/studies/1"])
def test_all_that_a_page_needs(dashboard: Dashboard, path: str) -> None:
    assert ask(dashboard, path).status == "200 OK"


@pytest.mark.parametrize(
    "path", ["/api/studies/1/param_importances", "/api/studies/1/plot/edf", "/api/studies/1/plot/slice"]
)
def test_plots_of_optunas_own(dashboard: Dashboard, path: str) -> None:
    assert ask(dashboard, path).status == "200 OK"


BODIES = {
    "tell": {"state": "Complete", "values": [1.0]},
    "note": {"version": 99, "body": "theirs"},
    "rename": {"study_name": "theirs"},
    "user-attrs": {"user_attrs": {"theirs": 1}},
    "studies": {"study_name": "theirs", "directions": ["maximize"]},
}


def test_nothing_that_is_asked_changes_anything(dashboard: Dashboard, shown: Study) -> None:
    before, listed = everything(shown.folder), ask(dashboard, "/api/studies").json
    detail = ask(dashboard, "/api/studies/1").json
    for method, rule in sorted(WRITING):
        path = example(rule)
        body = json.dumps(BODIES.get(path.rpartition("/")[2], {})).encode()
        answer = ask(dashboard, path, method, body=body)
        assert answer.status == "405 Method Not Allowed"
        assert answer.headers["Allow"] == "GET, HEAD"
        assert "only shows" in answer.json["reason"]
    assert everything(shown.folder) == before
    assert ask(dashboard, "/api/studies").json == listed
    assert ask(dashboard, "/api/studies/1").json == detail


def test_artifacts_cannot_be_written_by_any_way(shown: Study) -> None:
    artifacts = Artifacts([artifact_folder(shown)])
    with pytest.raises(PermissionError):
        artifacts.write("a-1", io.BytesIO(b"theirs"))
    with pytest.raises(PermissionError):
        artifacts.remove("a-1")


def test_a_foreign_host_learns_nothing(dashboard: Dashboard) -> None:
    answer = ask(dashboard, "/api/studies", host="evil.example:8080")
    assert answer.status == "403 Forbidden"
    assert b"tiny" not in answer.body


def test_new_trials_are_seen(dashboard: Dashboard, shown: Study) -> None:
    assert len(ask(dashboard, "/api/studies/1").json["trials"]) == 6
    run(tiny(shown.folder, *LITTLE, "coarse.trials=8"), "coarse", words=WORDS)
    # optuna-dashboard itself reads the trials anew every other second
    dashboard.inner._inmemory_cache.clear()
    assert "8 trials" in ask(dashboard, "/api/studies/1").json["note"]["body"]
    assert len(ask(dashboard, "/api/studies/1").json["trials"]) == 8


def test_the_page_says_that_it_only_shows_and_links_the_reports(dashboard: Dashboard) -> None:
    answer = ask(dashboard, "/dashboard")
    page = answer.body.decode()
    assert "read-only" in page
    assert '<a href="/report/tiny">tiny</a>' in page
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert ask(dashboard, "/dashboard", "HEAD").body == b""


def test_reports(dashboard: Dashboard) -> None:
    answer = ask(dashboard, "/report/tiny")
    assert (answer.status, answer.body) == ("200 OK", b"<!DOCTYPE html><title>Report</title>")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert ask(dashboard, "/report/tiny", "HEAD").body == b""
    missing = ask(dashboard, "/report/nope")
    assert (missing.status, missing.headers["Content-Type"]) == ("404 Not Found", "application/json")
    assert "only of tiny, broken" in missing.json["reason"]
    failed = ask(dashboard, "/report/broken")
    assert failed.status.startswith("500")
    assert failed.body == b"The test rows must be there, but are gone.\n"


@pytest.mark.parametrize("name", ["größe 50 %41", "λ-η"])
def test_a_report_of_any_name_is_found_where_the_page_links_it(shown: Study, name: str) -> None:
    """Names beyond ASCII were not."""
    browsed = browse([default_url(shown.folder, shown.name)])
    with served(Dashboard(browsed, Artifacts([]), {name: lambda: f"page of {name}"})) as running:
        page = get(running.server_port, "/dashboard").decode()
        link = page.partition('<a href="')[2].partition('"')[0]
        assert get(running.server_port, link).decode() == f"page of {name}"
    browsed.close()


def test_a_name_is_no_tag(shown: Study) -> None:
    browsed = browse([default_url(shown.folder, shown.name)])
    page = ask(Dashboard(browsed, Artifacts([]), {"<b>&": lambda: ""}), "/dashboard").body.decode()
    assert '<a href="/report/%3Cb%3E%26">&lt;b&gt;&amp;</a>' in page
    browsed.close()
