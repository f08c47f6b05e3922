"""A web server for a WSGI application on this machine alone."""

from collections.abc import Callable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from bnsearch.errors import UsageError

HOST = "127.0.0.1"


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each request: browsers open connections that they do not use at once."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    """Says nothing of requests that went well."""

    def log_message(self, format: str, *args: Any) -> None:
        """Not a line for each request."""


def server(application: Callable[..., Any], port: int) -> WSGIServer:
    """A server that listens on a port of the loopback interface, 0: on any free one; `serve_forever` runs it."""
    try:
        return make_server(HOST, port, application, server_class=_Server, handler_class=_Quiet)
    except OSError as error:
        raise UsageError(
            f"--port must be a free port of this machine, but {port} is not ({error.strerror}): name another one, or 0 "
            f"for any that is free."
        ) from error
