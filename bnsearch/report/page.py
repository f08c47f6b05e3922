"""One self-contained HTML page: template, style, script, plotly's own code and the figures, all in one file.

The page asks for nothing from anywhere, and its Content-Security-Policy forbids it to: only the scripts with the hashes
that stand there may run, and what they make themselves (no text can know a blob: address beforehand), so that nothing
in a study's names could become one.
"""

import base64
import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bnsearch.report import colours
from bnsearch.report.sections.parts import Drawing, Section


def render(name: str, sections: Sequence[Section], made: datetime | None = None) -> str:
    """The page of a study; made: when, now by default."""
    from bnsearch import __version__

    drawings = [drawing for section in sections for drawing in section.drawings]
    environment = _environment()
    script = _source("report.js")
    return environment.get_template("report.html").render(
        name=name,
        version=__version__,
        made=(made or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M UTC"),
        sections=sections,
        light=asdict(colours.LIGHT),
        dark=asdict(colours.DARK),
        dark_for_light=_json(json.dumps(colours.dark_for_light())),
        cycle=_json(json.dumps(colours.CYCLE)),
        figures={drawing.name: _json(_figure(drawing)) for drawing in drawings},
        style=_source("report.css"),
        script=script,
        plotly=_plotly()[0],
        hashes=[_hash(script), _plotly()[1]],
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bnsearch.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = _unbroken
    return environment


def _unbroken(text: str) -> str:
    """A number stays on one line with its sign and its name."""
    for together in (" %", " = ", " … "):
        text = text.replace(together, together.replace(" ", "\u00a0"))
    return text


def _figure(drawing: Drawing) -> str:
    """Traces and layout; in full precision, for plotly's JavaScript reads it as it is."""
    return str(drawing.figure.to_json())


def _json(text: str) -> Markup:
    """JSON that may stand in a <script>: neither a tag nor the end of one can be in it."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _source(name: str) -> Markup:
    """A file of our own beside the template."""
    source, _, _ = _loader().get_source(_environment(), name)
    return Markup(source)


def _loader() -> PackageLoader:
    loader = _environment().loader
    assert isinstance(loader, PackageLoader)
    return loader


@cache
def _plotly() -> tuple[str, str]:
    """plotly.js compressed (a third of its size, and unpacked by the browser in an instant), and its hash."""
    from plotly.offline import get_plotlyjs

    code = _compiled_once(str(get_plotlyjs()))
    return base64.b64encode(gzip.compress(code.encode(), 9, mtime=0)).decode(), _hash(code)


def _compiled_once(code: str) -> str:
    """The function that holds all of plotly.js in parentheses, by which engines know that it is called at once.

    Without, they parse its 5 MB twice: a fifth of a second. Code that is not so wrapped stays as it is.
    """
    begin, end = "this, () => {", "}));"
    head, found, body = code.rstrip().partition(begin)
    return f"{head}this, (() => {{{body.removesuffix(end)}}})));" if found and body.endswith(end) else code


def _hash(code: str) -> str:
    """As a Content-Security-Policy names a script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
