"""Figures as small PNG files, drawn by Chromium."""

import io
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from PIL import Image
from plotly.offline import get_plotlyjs

from bnsearch.data.whole_file import write_whole

SCALE = 1.5  # device pixels a pixel
COLOURS = 96
BLANK = '<!doctype html><body style="margin:0"><div id="figure"></div>'
DRAW = """async text => {
    const { data, layout } = JSON.parse(text);
    await Plotly.newPlot("figure", data, layout, { displayModeBar: false });
    await document.fonts.ready;
}"""


class NoBrowser(Exception):
    """Pictures cannot be drawn; its text says what is missing."""


def draw(figures: Mapping[str, go.Figure], folder: Path) -> None:
    """Write NAME.png for each; raises NoBrowser where there is no Chromium."""
    path = shutil.which("chromium")
    if path is None:
        raise NoBrowser("Chromium (apt-get install chromium)")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise NoBrowser("playwright (make install)") from error
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(device_scale_factor=SCALE, reduced_motion="reduce").new_page()
        page.set_content(BLANK)
        page.add_script_tag(content=get_plotlyjs())  # once: to read it takes longer than to draw a figure
        for name, figure in figures.items():
            write_whole(folder / f"{name}.png", [small(_shot(page, figure))])
        browser.close()


def _shot(page: Any, figure: go.Figure) -> bytes:
    page.set_viewport_size({"width": int(figure.layout.width), "height": int(figure.layout.height)})
    page.evaluate(DRAW, figure.to_json())
    shot: bytes = page.screenshot()
    return shot


def small(shot: bytes) -> bytes:
    """The picture in few colours."""
    file = io.BytesIO()
    image = Image.open(io.BytesIO(shot)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    image.save(file, "PNG", optimize=True)
    return file.getvalue()
