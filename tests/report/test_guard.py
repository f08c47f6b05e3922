"""Which requests are served: reading ones, of this machine, to known addresses."""

import json

import bottle
import optuna
import pytest
from optuna.artifacts import FileSystemArtifactStore
from optuna_dashboard import wsgi

from bnsearch.report.guard import refusal

ME = "127.0.0.1:8080"
WRITING = {  # every route of optuna-dashboard 0.21 that may change something, or asks another host
    ("POST", "/api/studies"),
    ("DELETE", "/api/studies/<study_id:int>"),
    ("POST", "/api/studies/<study_id:int>/rename"),
    ("PUT", "/api/studies/<study_id:int>/note"),
    ("PUT", "/api/studies/<study_id:int>/<trial_id:int>/note"),
    ("POST", "/api/studies/<study_id:int>/preference"),
    ("PUT", "/api/studies/<study_id:int>/preference_feedback_component"),
    ("DELETE", "/api/studies/<study_id:int>/preference/<history_id>"),
    ("POST", "/api/studies/<study_id:int>/preference/<history_id>"),
    ("POST", "/api/studies/<study_id:int>/<trial_id:int>/skip"),
    ("POST", "/api/trials/<trial_id:int>/tell"),
    ("POST", "/api/trials/<trial_id:int>/user-attrs"),
    ("POST", "/api/artifacts/<study_id:int>/<trial_id:int>"),
    ("POST", "/api/artifacts/<study_id:int>"),
    ("DELETE", "/api/artifacts/<study_id:int>/<trial_id:int>/<artifact_id:re:[0-9a-fA-F-]+>"),
    ("DELETE", "/api/artifacts/<study_id:int>/<artifact_id:re:[0-9a-fA-F-]+>"),
    ("POST", "/incompatible-rdb-schema"),
    ("POST", "/api/llm/trial_filter_query"),
    ("POST", "/api/llm/generate_plotly_graph_query"),
    ("POST", "/api/llm/re_generate_plotly_graph_query"),
}
READING = {
    ("GET", "/"),
    ("GET", "/dashboard<:re:(/.*)?>"),
    ("GET", "/api/meta"),
    ("GET", "/api/studies"),
    ("GET", "/api/studies/<study_id:int>"),
    ("GET", "/api/studies/<study_id:int>/param_importances"),
    ("GET", "/api/studies/<study_id:int>/plot/<plot_type>"),
    ("GET", "/csv/<study_id:int>"),
    ("GET", "/favicon.ico"),
    ("GET", "/static/<filename:path>"),
    ("GET", "/artifacts/<study_id:int>/<artifact_id:re:[0-9a-fA-F-]+>"),
    ("GET", "/artifacts/<study_id:int>/<trial_id:int>/<artifact_id:re:[0-9a-fA-F-]+>"),
}
NOT_NEEDED = {("GET", "/incompatible-rdb-schema")}  # the tables are brought up to date in the copy


def routes() -> set[tuple[str, str]]:
    app: bottle.Bottle = wsgi(optuna.storages.InMemoryStorage(), artifact_store=FileSystemArtifactStore("."))
    return {(route.method, route.rule) for route in app.routes}


def example(rule: str) -> str:
    """An address of a route."""
    values = {
        "<:re:(/.*)?>": "/studies/1",
        "<study_id:int>": "1",
        "<trial_id:int>": "2",
        "<artifact_id:re:[0-9a-fA-F-]+>": "0a-1",
        "<history_id>": "x",
        "<plot_type>": "contour",
        "<filename:path>": "bundle.js",
    }
    for mark, value in values.items():
        rule = rule.replace(mark, value)
    assert "<" not in rule, rule
    return rule


def test_every_route_of_the_installed_dashboard_has_been_looked_at() -> None:
    assert routes() == WRITING | READING | NOT_NEEDED


@pytest.mark.parametrize(("method", "rule"), sorted(WRITING))
def test_what_changes_something_is_refused(method: str, rule: str) -> None:
    answer = refusal(ME, method, example(rule))
    assert answer is not None
    assert answer.status.startswith("405")
    assert "only shows" in json.loads(answer.text)["reason"]


@pytest.mark.parametrize(("method", "rule"), sorted(READING))
def test_what_reads_is_served(method: str, rule: str) -> None:
    assert refusal(ME, method, example(rule)) is None
    assert refusal(ME, "HEAD", example(rule)) is None


@pytest.mark.parametrize("path", ["/incompatible-rdb-schema", "/api/trials/1", "/api/new", "/report/a/b", "/etc"])
def test_other_addresses_are_not_known(path: str) -> None:
    answer = refusal(ME, "GET", path)
    assert answer is not None
    assert answer.status.startswith("404")


def test_reports() -> None:
    assert refusal(ME, "GET", "/report/digits") is None
    assert refusal(ME, "POST", "/report/digits") is not None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:1", "localhost:8080", "LOCALHOST", "[::1]:8080", "[::1]"])
def test_names_of_this_machine(host: str) -> None:
    assert refusal(host, "GET", "/dashboard") is None


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example:80", "192.168.0.1"],
)
def test_other_names_are_refused_whatever_is_asked(host: str) -> None:
    """A page of another host may let its own name point here, and read all that is answered."""
    for path in ("/dashboard", "/api/studies", "/report/digits", "/nowhere"):
        answer = refusal(host, "GET", path)
        assert answer is not None
        assert answer.status.startswith("403")
