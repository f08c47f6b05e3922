"""Make the pictures of the README from real runs: `python docs/pictures.py [DATA_DIR]` (writes docs/images/).

Needs Debian's Chromium. The pictures of a CIFAR-10 study are made where DATA_DIR, the folder of its files, is given;
none shows an image of it.
"""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console

from bnsearch.report.text import run_report
from bnsearch.search.address import default_url
from bnsearch.search.stages import status
from bnsearch.search.store import open_existing

IMAGES = Path(__file__).parent / "images"
WIDTH = 84
# rich's own template names a font on another host; the picture must not fetch anything
SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px;
  line-height: {line_height}px; font-variant-east-asian: full-width; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>{lines}</defs>
<rect fill="#111827" width="{width}" height="{height}" rx="8"/>
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g></svg>
"""
# study, section (None: the first screen of a laptop), colour scheme
REPORTS = (
    ("digits", None, "light"),
    ("digits", "search", "light"),
    ("digits", "learning", "dark"),
    ("digits-halved", "halving", "light"),
    ("cifar10-cyclic", "confirm", "light"),
    ("cifar10-cyclic", "classes", "light"),
    ("cifar10-cyclic", "weights", "light"),
)
HALVED = ["digits", "--set", 'training.schedule={kind="constant"}']  # a cosine has no places to stop at
# what it shows, and where in the dashboard of the digits study
DASHBOARD = {"trial": "studies/1/trials?numbers=0", "note": "studies/3/note"}


def main(data_dir: str | None) -> None:
    """Run the studies in an empty folder; draw the terminal, the reports and the dashboard as they are seen."""
    studies = {
        "digits": ["digits"],
        **({"cifar10-cyclic": ["cifar10-cyclic", "--data-dir", data_dir]} if data_dir else {}),
    }
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        reports = {name: run(options, folder) for name, options in studies.items()}
        reports["digits-halved"] = run(HALVED, other)
        draw_terminal(folder)
        with sync_playwright() as playwright:
            path = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
            for name, section, scheme in REPORTS:
                if name in reports:
                    draw_report(browser, reports[name], name, section, scheme)
            draw_dashboard(browser, folder)
            browser.close()


def run(options: list[str], folder: str) -> Path:
    """Run a study in a folder; where its report lies."""
    command = [sys.executable, "-m", "bnsearch", "run", "--json", *options]
    result = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE)
    return Path(folder, json.loads(result.stdout)["report"])


def draw_terminal(folder: str) -> None:
    """The summary of the digits study as the terminal shows it."""
    here = os.getcwd()
    os.chdir(folder)
    store = open_existing(default_url(Path("studies"), "digits"), "digits")
    assert store is not None
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
    console.print("$ bnsearch run digits", style="bold green")
    results = Path("studies/digits")
    page = results / "report.html", "bnsearch report digits --open"
    run_report("digits", status(store, "digits", results), store.url, results, page, True, console)
    store.close()
    os.chdir(here)
    console.save_svg(str(IMAGES / "run-digits.svg"), title="bnsearch run digits", code_format=SVG)


def draw_dashboard(browser: Browser, folder: str) -> None:
    """Pages of the dashboard on the digits study."""
    command = [sys.executable, "-m", "bnsearch", "dashboard", "digits", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = re.search(r"http://\S+", process.stderr.readline())
        assert address is not None
        for name, place in DASHBOARD.items():
            context = browser.new_context(viewport={"width": 1280, "height": 800}, device_scale_factor=1.5)
            page = context.new_page()
            page.goto(f"{address[0]}/{place}")
            page.get_by_alt_text("Learning curves").first.evaluate("image => image.decode()")
            save(page.screenshot(), f"dashboard-digits-{name}")
            context.close()
        process.terminate()


def draw_report(browser: Browser, report: Path, name: str, section: str | None, scheme: Any) -> None:
    """A section of a report, or its first screen."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 720}, color_scheme=scheme, device_scale_factor=1.5, reduced_motion="reduce"
    )
    page: Page = context.new_page()
    page.goto(report.as_uri())
    page.wait_for_selector("html[data-drawn]", state="attached")
    box = page.locator(f"#{section}").bounding_box() if section else None
    if box is None:
        shot = page.screenshot()
    else:  # with the page's own margins
        clip = {"x": 0, "y": box["y"], "width": 1280, "height": box["height"]}
        shot = page.screenshot(full_page=True, clip=clip)
    context.close()
    save(shot, f"report-{name}-{section or 'answer'}")


def save(shot: bytes, name: str) -> None:
    """As a small PNG."""
    image = Image.open(io.BytesIO(shot)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    image.save(IMAGES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
