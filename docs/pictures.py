"""Make the pictures of the README from a real run: `python docs/pictures.py` (writes docs/images/)."""

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

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


def main() -> None:
    """Run the digits study in an empty folder and draw its summary as the terminal shows it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bnsearch", "run", "digits"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        os.chdir(folder)
        store = open_existing(default_url(Path("studies"), "digits"), "digits")
        assert store is not None
        console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
        console.print("$ bnsearch run digits", style="bold green")
        run_report("digits", status(store, "digits"), store.url, Path("studies/digits"), True, console)
        store.close()
        os.chdir(Path(__file__).parent)
    IMAGES.mkdir(exist_ok=True)
    console.save_svg(str(IMAGES / "run-digits.svg"), title="bnsearch run digits", code_format=SVG)


if __name__ == "__main__":
    main()
