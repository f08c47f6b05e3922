"""A server that this machine alone can reach."""

import http.client
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIServer

import pytest

from bnsearch.errors import UsageError
from bnsearch.report.server import server


def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode()]


@contextmanager
def served(application: Any) -> Iterator[WSGIServer]:
    """In a thread, on a free port, until the block ends."""
    with server(application, 0) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join()


def get(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    body = connection.getresponse().read()
    connection.close()
    return body


def test_it_answers_on_the_loopback_interface_in_silence(capfd: pytest.CaptureFixture[str]) -> None:
    with served(echo) as running:
        assert running.server_address[0] == "127.0.0.1"
        assert get(running.server_port, "/x") == b"/x"
    assert capfd.readouterr() == ("", "")


def test_a_connection_that_says_nothing_keeps_nobody_waiting() -> None:
    """Browsers open some in advance."""
    with served(echo) as running:
        idle = http.client.HTTPConnection("127.0.0.1", running.server_port, timeout=30)
        idle.connect()
        assert get(running.server_port, "/x") == b"/x"
        idle.close()


def test_a_port_that_is_taken() -> None:
    with served(echo) as running, pytest.raises(UsageError, match=f"but {running.server_port} is not"):
        server(echo, running.server_port)
