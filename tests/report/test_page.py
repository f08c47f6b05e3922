"""One page, complete in itself, whatever names a study has."""

import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plotly.offline import get_plotlyjs

from bnsearch.model import Model
from bnsearch.report.page import _compiled_once, render
from bnsearch.report.records import StudyRecord
from bnsearch.report.report import sections_of
from bnsearch.report.sections.parts import Section
from tests.report import made
from tests.report.made import CURVES, SETUP, STUDY, stage, trial
from tests.report.rows import changed

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u2028"


class Parsed(HTMLParser):
    """Tags with their attributes, the texts of scripts, and all text that a reader sees."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.seen: list[str] = []
        self.within = ""  # a script or a style, whose text is not seen
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.within = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self.within = ""

    def handle_data(self, data: str) -> None:
        if self.within == "script":
            self.scripts.append(data)
        elif not self.within:
            self.seen.append(data)

    @property
    def text(self) -> str:
        """With plain spaces."""
        return " ".join(" ".join(self.seen).split())

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.tags if tag == name]


def page(record: StudyRecord, commands: list[str] | None = None) -> str:
    return render(record.name, list(sections_of(record, CURVES, (4, 9), commands)), datetime(2030, 1, 2, tzinfo=UTC))


WHOLE = page(STUDY, ["bnsearch run mine.toml"])


def test_all_sections_stand_on_the_page_with_a_heading_each() -> None:
    parsed = Parsed(WHOLE)
    names = [attrs["id"] for attrs in parsed.of("section")]
    assert names == [
        *("answer", "search", "halving", "learning", "confirm", "classes", "mistakes", "weights", "cost"),
        "provenance",
    ]
    assert len(parsed.of("h1")) == 1
    assert [attrs["id"] for attrs in parsed.of("h2")] == [f"{name}-title" for name in names]
    links = [attrs["href"] for attrs in parsed.of("a") if (attrs["href"] or "").startswith("#")]
    assert set(links) == {f"#{name}" for name in names}


def test_the_page_needs_nothing_from_anywhere() -> None:
    parsed = Parsed(WHOLE)
    for _, attrs in parsed.tags:
        for name in ("src", "srcset", "data", "action"):
            assert (attrs.get(name) or "data:").startswith("data:")
    assert all((attrs["href"] or "").startswith("data:") for attrs in parsed.of("link"))
    assert "url(" not in WHOLE
    assert "@import" not in WHOLE
    assert len(WHOLE.encode()) < 8_000_000


def test_only_our_scripts_may_run() -> None:
    parsed = Parsed(WHOLE)
    (policy,) = [a["content"] or "" for a in parsed.of("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy
    runs = [text for attrs, text in zip(parsed.of("script"), parsed.scripts, strict=True) if "type" not in attrs]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (*runs, unpacked(parsed))]
    allowed = policy.partition("script-src")[2].partition(";")[0].split()
    assert allowed == [*(f"'sha256-{digest}'" for digest in digests), "blob:"]


def unpacked(parsed: Parsed) -> str:
    """plotly's code, as the page's own script unpacks it."""
    (packed,) = [t for a, t in zip(parsed.of("script"), parsed.scripts, strict=True) if a.get("id") == "plotly"]
    return gzip.decompress(base64.b64decode(packed)).decode()


def test_plotlys_code_is_as_it_was_but_for_the_parentheses_that_spare_a_second_parsing() -> None:
    code, original = unpacked(Parsed(WHOLE)), get_plotlyjs()
    assert "Licensed under the MIT license" in code[:300]
    assert code != original, "it is wrapped otherwise than it was"
    assert code.replace("this, (() => {", "this, () => {", 1).removesuffix(")));") + "));" == original


@pytest.mark.parametrize("code", ["", "var Plotly = 1;", "(this, () => {1", "f(this, function() {return 1}));"])
def test_code_that_is_wrapped_otherwise_stays_as_it_is(code: str) -> None:
    assert _compiled_once(code) == code


def test_a_figure_is_described_for_those_who_do_not_see_it() -> None:
    plots = [attrs for attrs in Parsed(WHOLE).of("div") if (attrs.get("class") or "").startswith("plot")]
    assert len(plots) > 12
    assert all(attrs["role"] == "img" and len(attrs["aria-label"] or "") > 10 for attrs in plots)
    assert all(attrs["alt"] for attrs in Parsed(WHOLE).of("img"))


def test_the_answer_comes_first_with_how_sure_it_is() -> None:
    text = Parsed(WHOLE).text
    for words in (
        "is chosen",
        "98.56 %",
        "Its expected accuracy on new validation rows is 98.41 %.",
        "The default does as well within the noise",
        "No setting that may",
    ):
        assert words in text
    assert text.index("is chosen") < text.index("24 trials in λ")


def test_tables_hold_the_numbers() -> None:
    text = Parsed(WHOLE).text
    assert "fine 1 5e-05 0.3 0.0200 98.00 %" in text
    assert "default tied 0.00333 98.30 % 0.20 -0.15 … 0.55" in text
    assert re.search(r"class recall precision F1 .* dog 98.9 % 91 cat, 1.1 %", text)
    assert "coarse 24 0 0 0 20 5.0 s 2.5 s 8" in text
    assert "purpose outcome 2030-01-02T03:04:05+00:00 mine.final: 2 networks counted" in text
    assert 'sampler "sobol" "sobol"' in text
    assert "space.l2 1e-06 … 0.1 2e-05 … 0.0005" in text
    assert "repeats 5 2" in text
    assert "rungs [] []" in text
    halved = replace(made.COARSE, row=changed(made.COARSE.row, halving__in_effect=True))
    assert "rungs [0.25, 0.5]" in Parsed(page(made.with_stages(halved))).text, "those of a file that names none"
    assert "bnsearch run mine.toml" in text
    assert "f" * 64 in text


def test_what_computed_is_told_where_it_is_known() -> None:
    old, new = made.COARSE, replace(made.FINE, software={"python": "3.11.2", "blas": "openblas 0.3.29 Haswell"})
    assert "Computed by Python 3.11.2, BLAS openblas 0.3.29 Haswell" in Parsed(page(made.with_stages(old, new))).text
    assert "Computed by" not in Parsed(WHOLE).text


def hostile() -> StudyRecord:
    """Names from outside wherever there can be some."""
    final = made.FINAL
    result = final.row["result"] | {"classes": [EVIL, "b"]}
    result["per_class"] = [
        {**row, "class": name} for row, name in zip(result["per_class"], result["classes"], strict=True)
    ]
    evil = changed(final.row, result=result, stale=EVIL)
    assert isinstance(STUDY.model, Model)
    return replace(
        STUDY,
        name=EVIL,
        called=EVIL,
        file=Path(EVIL),
        results=Path(EVIL),
        database=EVIL,
        stages=(*STUDY.stages[:3], replace(final, row=evil, version=EVIL, revision=EVIL, fingerprint=EVIL)),
        looks=[made.LOOK | {"purpose": EVIL, "refused": EVIL}],
        model=replace(STUDY.model, classes=(EVIL, "b")),
    )


def test_names_from_outside_stay_text() -> None:
    kinds = [(tag, sorted(attrs)) for tag, attrs in Parsed(WHOLE).tags]
    parsed = Parsed(page(hostile(), [EVIL]))
    assert [(tag, sorted(attrs)) for tag, attrs in parsed.tags if tag == "script"] == [
        k for k in kinds if k[0] == "script"
    ]
    assert not [attrs for _, attrs in parsed.tags if "onerror" in attrs]
    assert parsed.text.count("alert(1)") > 10, "shown as it is"
    data = [t for a, t in zip(parsed.of("script"), parsed.scripts, strict=True) if a.get("type") == "application/json"]
    assert len(data) > 12
    for text in data:
        json.loads(text)
        assert not set("<>&\u2028") & set(text)


def test_a_missing_picture_says_why_and_other_data_have_none() -> None:
    gone = Parsed(page(replace(STUDY, mistakes="It is gone."), [])).text
    assert "No images can be shown. It is gone." in gone
    model = replace(STUDY.model, metadata={"image_shape": None})  # type: ignore[type-var]
    ids = [attrs["id"] for attrs in Parsed(page(replace(STUDY, mistakes=None, model=model), [])).of("section")]
    assert "mistakes" not in ids
    assert "weights" not in ids


def test_curves_that_are_missing_are_said() -> None:
    text = Parsed(render("mine", list(sections_of(STUDY, CURVES[:3], (4, 4), [])))).text
    assert "1 of 4 curves are missing: their files are gone or damaged" in text
    assert "are missing" not in Parsed(WHOLE).text


def test_a_study_file_that_has_changed_is_said() -> None:
    assert "the study file has changed since" in Parsed(page(STUDY)).text
    assert "To make these results again" not in Parsed(page(STUDY)).text


def test_it_is_said_that_cifar10_may_lie_elsewhere() -> None:
    record = replace(STUDY, stages=(replace(STUDY.stages[0], setup=SETUP | {"data": {"source": "cifar10"}}),))
    assert "add --data-dir FOLDER" in Parsed(page(record, ["bnsearch run mine.toml"])).text
    assert "add --data-dir FOLDER" not in Parsed(page(record)).text
    assert "add --data-dir FOLDER" not in Parsed(WHOLE).text


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_study_under_way_has_what_there_is(n: int) -> None:
    text = Parsed(page(made.with_stages(*STUDY.stages[:n]), [])).text
    assert "Go on bnsearch run mine.toml" in text
    assert "none so far" in text
    assert "Under way" not in text


def test_a_study_that_a_process_is_at_work_on_is_followed_rather_than_run() -> None:
    """It was said to run it, which is refused then."""
    record = replace(made.with_stages(*STUDY.stages[:1]), at_work=True, database="sqlite:///o ther.db")
    text = Parsed(page(record, [])).text
    assert "Under way bnsearch status mine.toml --follow --storage 'sqlite:///o ther.db'" in text
    assert "Go on" not in text


def test_a_search_that_has_just_begun() -> None:
    row = changed(
        made.COARSE.row,
        verdict=None,
        best=None,
        top=[],
        total=24,
        trials=dict.fromkeys(("complete", "pruned", "failed"), 0) | {"running": 1},
    )
    running = trial("coarse", 0, 1e-3, 0.1, None, state="running", ended=None)
    record = made.with_stages(stage(row, (running,)))
    text = Parsed(render("mine", list(sections_of(record, [], (0, 0), [])))).text
    assert "Coarse has 0 of 24 trials; none has completed" in text
    assert "once a trial has been evaluated" in text
    assert "<figure" not in render("mine", list(sections_of(record, [], (0, 0), []))), "no empty ones"
    assert "The best 0 trials" not in text


def test_the_rings_of_tied_settings_are_explained() -> None:
    explained = "lie within one standard error of their level's best, the star"
    assert explained in Parsed(page(STUDY)).text
    alone = changed(made.COARSE.row, verdict__tied=[4], verdict__n_tied=1)
    assert explained not in Parsed(page(made.with_stages(replace(made.COARSE, row=alone)))).text


def test_trials_that_were_stopped_below_the_axis_are_counted() -> None:
    good = tuple(made.trial("coarse", i, 1e-3, 0.1, 0.9 + 0.01 * i) for i in range(5))
    early = tuple(made.stopped("coarse", 5 + i, 1e-3, 0.1, 0.1) for i in range(3))
    record = made.with_stages(replace(made.COARSE, trials=(*good, *early)))
    text = page(record)
    assert "3 trials (3 of them stopped early) lie below this axis, down to 10.00 %" in Parsed(text).text
    assert "10.00\u00a0%: double-click to see all" in text, "a number had its sign on the next line"


def test_what_the_figure_of_the_rungs_leaves_out_is_counted() -> None:
    """Lines went down out of the figure, and of very many trials some were drawn, without a word."""
    good = tuple(made.trial("coarse", i, 1e-3, 0.1, 0.9 + 0.01 * i, rungs=((2, 0.9), (4, 0.91))) for i in range(9))
    early = tuple(made.stopped("coarse", 9 + i, 1e-3, 0.1, 0.2 + 0.1 * i) for i in range(2))
    section = Parsed(page(made.with_stages(replace(made.COARSE, trials=(*good, *early))))).text
    assert "2 figures lie below this axis, down to 20.00 %: double-click to see all, again to come back." in section
    many = tuple(made.stopped("coarse", i, 1e-3, 0.1, 0.5) for i in range(1000))
    text = Parsed(page(made.with_stages(replace(made.COARSE, trials=many)))).text
    assert "300 of 1,000 trials of coarse are drawn: the best 75 and an even sample of the others" in text
    assert "figures lie below" not in text
    without = tuple(made.trial("coarse", 280 + i, 1e-3, 0.1, 0.5) for i in range(40))  # that came to no rung
    text = Parsed(page(made.with_stages(replace(made.COARSE, trials=(*many[:280], *without))))).text
    assert "trials of coarse are drawn" not in text


def test_a_lone_trial_is_no_plural() -> None:
    text = Parsed(page(made.with_stages(replace(made.COARSE, trials=made.COARSE_TRIALS[:1])))).text
    assert "The trial that completed" in text
    assert "The best 1 trials" not in text


def test_ten_thousand_trials_make_a_usable_page_that_says_what_it_leaves_out() -> None:
    rng = np.random.default_rng(0)
    many: Any = [
        trial("coarse", i, float(10 ** rng.uniform(-6, -1)), float(10 ** rng.uniform(-3, 0)), float(rng.uniform()))
        for i in range(10_000)
    ]
    record = made.with_stages(replace(made.COARSE, trials=tuple(many)))
    text = render("mine", list(sections_of(record, CURVES, (4, 10_000), [])))
    assert len(text.encode()) < 5_000_000
    assert "2,000 of 10,000 trials of coarse are drawn" in text
    assert "4 of 10,000 curves are drawn" in text


def test_an_empty_section_leaves_no_trace() -> None:
    parsed = Parsed(render("mine", [Section("answer", "Answer", ["It is so."])]))
    assert parsed.of("figure") == parsed.of("table") == parsed.of("ul")[1:] == []
    assert "It is so." in parsed.text
