"""RESULTS.json and RESULTS.md: a section for each benchmark, of which running one replaces its own."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.section import Section


def merge(folder: Path, name: str, section: Section, about: dict[str, str], order: Sequence[str]) -> None:
    """Put one section in place of its predecessor; RESULTS.md is written anew from RESULTS.json."""
    path = folder / "RESULTS.json"
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    stored[name] = {
        "title": section.title,
        "machine": about,
        "figures": section.figures,
        "markdown": section.markdown().splitlines(),
    }
    stored = {key: stored[key] for key in order if key in stored}
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "RESULTS.md").write_text(document(stored), encoding="utf-8")


def document(stored: dict[str, Any]) -> str:
    """All sections as Markdown."""
    parts = ["# Benchmarks", "Made by `make bench`; `make bench ARGS=step` makes one section anew."]
    for name, section in stored.items():
        about = ", ".join(f"{key} {value}" for key, value in section["machine"].items())
        parts += [f"## {section['title']} (`{name}`)", "\n".join(section["markdown"]), f"Measured on: {about}."]
    return "\n\n".join(parts) + "\n"
