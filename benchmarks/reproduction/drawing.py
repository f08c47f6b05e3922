"""Figures as small PNG files, drawn by Chromium."""

import io
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from PIL import Image

from bnsearch.data.whole_file import write_whole

SCALE = 1.5  # device pixels a pixel
COLOURS = 96


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
        for name, figure in figures.items():
            write_whole(folder / f"{name}.png", [small(_shot(browser, figure))])
        browser.close()


def _shot(browser: Any, figure: go.Figure) -> bytes:
    size = {"width": int(figure.layout.width), "height": int(figure.layout.height)}
    context = browser.new_context(viewport=size, device_scale_factor=SCALE, reduced_motion="reduce")
    page = context.new_page()
    html = figure.to_html(include_plotlyjs=True, full_html=True, config={"displayModeBar": False})
    page.set_content(html.replace("<body>", '<body style="margin:0">'))
    page.wait_for_selector(".main-svg")
    page.evaluate("document.fonts.ready")
    shot: bytes = page.screenshot()
    context.close()
    return shot


def small(shot: bytes) -> bytes:
    """The picture in few colours."""
    file = io.BytesIO()
    image = Image.open(io.BytesIO(shot)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    image.save(file, "PNG", optimize=True)
    return file.getvalue()
