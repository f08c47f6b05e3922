"""The page as people see it, in Debian's Chromium: drawn, readable, usable, and asking for nothing from anywhere."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from bnsearch.report.colours import DARK, LIGHT, contrast
from bnsearch.report.page import render
from bnsearch.report.report import report, sections_of
from bnsearch.search import schedule
from bnsearch.search.stages import run_stage
from bnsearch.search.study_file import Study
from tests.browser import LAPTOP, PHONE, in_browser
from tests.report import made
from tests.report.rows import changed
from tests.report.test_page import hostile
from tests.report.test_report import COMPARED
from tests.search.helpers import at_work, run, stored, tiny, trials_of
from tests.search.stopping import Stopping

pytestmark = in_browser


@dataclass
class Shown:
    """A page that has been drawn, and what went wrong on the way."""

    page: Page
    said: list[str] = field(default_factory=list)  # on the console
    asked: list[str] = field(default_factory=list)  # for an address

    def evaluate(self, script: str, *arguments: Any) -> Any:
        return self.page.evaluate(script, *arguments)

    def becomes(self, script: str, expected: Any) -> bool:
        """Wait until the script gives what is expected; the page's policy forbids the browser's own waiting."""
        for _ in range(300):
            if self.evaluate(script) == expected:
                return True
            self.page.wait_for_timeout(100)
        return False


Show = Callable[..., Shown]


@pytest.fixture
def show(browser: Browser) -> Iterator[Show]:
    """Open a file; nothing may go wrong until the test ends."""
    opened = []

    def open_(path: Path, until: str = "drawn", never_idle: bool = False, **context: Any) -> Shown:
        page = browser.new_context(**{"viewport": LAPTOP} | context).new_page()
        if never_idle:
            page.add_init_script("requestIdleCallback = () => 0")
        shown = Shown(page)
        opened.append(shown)
        page.on("console", lambda message: shown.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: shown.said.append(str(error)))
        page.on("dialog", lambda dialog: shown.said.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: shown.asked.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector(f"html[data-{until}]", state="attached", timeout=60_000)
        return shown

    yield open_
    for shown in opened:
        assert shown.said == []
        assert [url for url in shown.asked if not url.startswith(("file:", "data:", "blob:"))] == []
        shown.page.context.close()


@pytest.fixture(scope="module")
def real(whole: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a study that was run."""
    path = tmp_path_factory.mktemp("real") / "report.html"
    with stored(whole) as store:
        path.write_text(report(whole, store))
    return path


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of handmade records, with every section."""
    path = tmp_path_factory.mktemp("rich") / "report.html"
    path.write_text(render("mine", list(sections_of(made.STUDY, made.CURVES, (4, 4), ["bnsearch run mine.toml"]))))
    return path


POINTS = """() => Object.fromEntries([...document.querySelectorAll(".plot")].filter((p) => p.offsetParent).map((p) =>
    [p.id, p.querySelectorAll(".points path, .js-line, .hm image, .textpoint").length]))"""


@pytest.mark.parametrize("pages", ["real", "rich"])
def test_all_figures_are_drawn(show: Show, pages: str, request: pytest.FixtureRequest) -> None:
    found = show(request.getfixturevalue(pages)).evaluate(POINTS)
    assert {"accuracies", "against-l2", "map-l2-learning_rate", "curves-loss", "finalists", "confusion-shares"} <= set(
        found
    )
    assert all(n > 0 for n in found.values()), found


def test_figures_are_drawn_where_a_script_has_no_address_that_works(browser: Browser, rich: Path) -> None:
    page = browser.new_context().new_page()
    page.add_init_script("URL.createObjectURL = () => 'blob:null/nothing'")
    page.goto(rich.as_uri())
    page.wait_for_selector("html[data-drawn]", state="attached", timeout=60_000)
    assert all(n > 0 for n in page.evaluate(POINTS).values())
    page.context.close()


DRAWN = """() => [...document.querySelectorAll(".plot")].filter((p) => p.offsetParent && p.querySelector(".main-svg"))
    .map((p) => p.id)"""
VISIBLE = """() => [...document.querySelectorAll(".plot")].filter((p) => p.offsetParent).map((p) => p.id)"""


def test_the_first_screen_is_drawn_first_and_what_is_below_when_it_comes_near(show: Show, rich: Path) -> None:
    shown = show(rich, until="first", never_idle=True)
    found = shown.evaluate(DRAWN)
    assert found[0] == "accuracies"
    assert "history" not in found
    shown.page.locator("#cost").scroll_into_view_if_needed()
    shown.page.wait_for_selector("#history .main-svg")
    assert set(shown.evaluate(DRAWN)) < set(shown.evaluate(VISIBLE))
    shown.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert shown.evaluate(DRAWN) == shown.evaluate(VISIBLE), "at once: paper does not wait"


@pytest.mark.parametrize("viewport", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_nothing_moves_while_figures_are_drawn(show: Show, rich: Path, viewport: dict[str, int]) -> None:
    """An anchor of the navigation stays where it was."""
    shown = show(rich, until="first", never_idle=True, viewport=viewport, reduced_motion="reduce")
    tops = (
        "() => [...document.querySelectorAll('section')].map((s) => Math.round(s.getBoundingClientRect().y + scrollY))"
    )
    before = shown.evaluate(tops)
    shown.page.get_by_role("link", name="What it took").click()
    shown.page.wait_for_selector("#history .main-svg")
    for section in shown.page.locator("section").all():
        section.scroll_into_view_if_needed()
    assert shown.becomes(f"() => ({DRAWN})().length === ({VISIBLE})().length", True)
    assert shown.evaluate(tops) == before


def test_the_answer_is_seen_without_scrolling(show: Show, real: Path) -> None:
    page = show(real).page
    for selector in (
        "#answer .finding",
        "#answer dl > div:first-child",
        "#answer dl > div:nth-child(2)",
        "#accuracies",
    ):
        box = page.locator(selector).first.bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= LAPTOP["height"], selector
    assert "is chosen" in page.locator("#answer .finding").inner_text()


def test_hovering_tells_the_trial_and_its_parameters(show: Show, rich: Path) -> None:
    page = show(rich).page
    plot = page.locator("#against-l2")
    plot.scroll_into_view_if_needed()
    place = page.evaluate(
        """() => { const plot = document.getElementById("against-l2"), { xaxis, yaxis } = plot._fullLayout,
        box = plot.getBoundingClientRect();
        return [box.x + xaxis._offset + xaxis.c2p(2e-4), box.y + yaxis._offset + yaxis.c2p(96)]; }"""
    )
    page.mouse.move(place[0] - 3, place[1])
    page.mouse.move(*place)
    said = page.wait_for_selector("#against-l2 .hoverlayer .hovertext").text_content() or ""
    assert "fine 0" in said
    assert "λ = 0.0002, η = 0.15" in said
    assert "validation accuracy 96.00 %" in said


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of 24 variants that were compared."""
    folder = tmp_path_factory.mktemp("many")
    changes = (
        "compare.vary.network={hidden=[[12], [13, 12], [14, 13, 12], [15, 14, 13, 12]], batch_norm=['none', 'plain']}"
    )
    study, path = tiny(folder, changes, "training.epochs=2", text=COMPARED), folder / "report.html"
    run(study, "compare")
    with stored(study) as store:
        path.write_text(report(study, store))
    return path


SHOWN_VARIANTS = """() => ["train_accuracy", "valid_accuracy", "train_cost", "valid_cost"].map((name) =>
    document.querySelectorAll(`#variants-${name} .lines .js-line, #variants-${name} .legendtext`).length)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_many_variants_are_drawn_named_and_readable(
    show: Show, many: Path, viewport: dict[str, int], scheme: str
) -> None:
    """A phone showed the variants' names, and none of their figures."""
    shown = show(many, viewport=viewport, color_scheme=scheme)
    assert min(shown.evaluate(SHOWN_VARIANTS)) >= 2 * 24
    assert shown.evaluate("() => document.documentElement.scrollWidth") == viewport["width"]
    rows = shown.page.locator("#variants tbody tr")
    assert rows.count() == 24
    box = rows.first.locator("td").nth(1).bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= viewport["width"], "the first figure beside the name is seen without scrolling"
    names = shown.page.locator("#variants-valid_accuracy .legendtext").all()
    assert max(name.bounding_box()["x"] + name.bounding_box()["width"] for name in names) <= viewport["width"]  # type: ignore[index]
    weak = [
        (text, ink, paper)
        for text, ink, paper in shown.evaluate(TEXTS)
        if contrast(hexadecimal(ink), hexadecimal(paper)) < 4.5
    ]
    assert weak == []


def test_hovering_tells_a_variant_and_a_press_on_its_name_hides_it(show: Show, many: Path) -> None:
    shown = show(many)
    plot = shown.page.locator("#variants-valid_accuracy")
    plot.scroll_into_view_if_needed()
    place = shown.evaluate(
        """() => { const plot = document.getElementById("variants-valid_accuracy"), { xaxis, yaxis } = plot._fullLayout,
        point = plot.calcdata.at(-1)[1], box = plot.getBoundingClientRect();
        return [box.x + xaxis._offset + xaxis.c2p(point.x), box.y + yaxis._offset + yaxis.c2p(point.y)]; }"""
    )
    shown.page.mouse.move(place[0] - 3, place[1])
    shown.page.mouse.move(*place)
    said = shown.page.wait_for_selector("#variants-valid_accuracy .hoverlayer .hovertext").text_content() or ""
    assert "hidden 1" in said
    assert "validation accuracy" in said
    assert "mean of 2" in said
    shown.page.locator("#variants-valid_accuracy .legendtoggle").first.click()
    hidden = """() => document.getElementById("variants-valid_accuracy").data
        .filter((trace) => trace.visible === "legendonly").map((trace) => trace.legendgroup)"""
    assert shown.becomes(hidden, ["0", "0"]), "its band and its mean"


def test_a_figure_can_be_saved_as_a_picture_but_not_sent_anywhere(show: Show, rich: Path) -> None:
    """plotly offered to upload it."""
    page = show(rich).page
    page.hover("#against-l2")
    titles = {b.get_attribute("data-title") for b in page.locator(".modebar-btn").all()}
    assert titles == {"Download plot as a PNG", "Zoom", "Pan", "Zoom in", "Zoom out", "Reset axes"}
    with page.expect_download() as download:
        page.click("#against-l2 [data-title^=Download]")
    assert download.value.path().read_bytes().startswith(b"\x89PNG")


def test_trials_are_selected_by_mouse_and_by_keyboard(show: Show, rich: Path) -> None:
    shown = show(rich)
    drawn = """() => document.getElementById("curves-loss").data.map((trace) => [trace.meta, trace.line.color])"""
    assert {label for label, _ in shown.evaluate(drawn)} == {"fine 1", "coarse 0"}
    button = shown.page.get_by_role("button", name="coarse 4")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    shown.page.get_by_role("button", name="fine 1").focus()
    shown.page.keyboard.press("Enter")
    names = """() => document.getElementById("curves-loss").data.map((trace) => trace.meta)"""
    assert shown.becomes(names, ["coarse 4", "coarse 4", "coarse 0", "coarse 0"])
    found = shown.evaluate(drawn)
    assert len({colour for _, colour in found}) == 2
    assert button.get_attribute("aria-pressed") == "true"


def test_the_matrix_shows_shares_or_counts(show: Show, rich: Path) -> None:
    shown = show(rich)
    assert shown.page.locator("#confusion-shares").is_visible()
    assert not shown.page.locator("#confusion-counts").is_visible()
    shown.page.get_by_label("counts").check()
    shown.page.wait_for_selector("#confusion-counts .textpoint")
    assert not shown.page.locator("#confusion-shares").is_visible()
    assert "181" in (shown.page.locator("#confusion-counts").text_content() or "")


def test_a_phone_shows_all_of_it_in_its_width(show: Show, rich: Path) -> None:
    shown = show(rich, viewport=PHONE, is_mobile=True, has_touch=True, device_scale_factor=2)
    assert shown.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"]
    too_wide = """(width) => [...document.querySelectorAll("main *")].filter((e) => !e.closest(".scroll, pre, svg"))
        .filter((e) => e.getBoundingClientRect().right > width + 1).map((e) => e.outerHTML.slice(0, 80))"""
    assert shown.evaluate(too_wide, PHONE["width"]) == []
    widths = shown.evaluate(
        "() => [...document.querySelectorAll('.plot')].filter((p) => p.offsetParent).map((p) => p.clientWidth)"
    )
    assert min(widths) > 300
    assert (
        shown.evaluate("() => document.getElementById('map-l2-learning_rate').layout.coloraxis.colorbar.orientation")
        == "h"
    )
    assert shown.page.locator("#mistakes img").first.bounding_box()["width"] < PHONE["width"] / 3  # type: ignore[index]
    assert "gradient" in shown.evaluate("() => getComputedStyle(document.querySelector('#confirm .scroll')).background")
    assert float(shown.evaluate("() => getComputedStyle(document.body).fontSize").removesuffix("px")) >= 15
    assert shown.evaluate("() => document.querySelector('#history').layout.dragmode") is False, (
        "a finger scrolls the page"
    )


TEXTS = """() => {
  const shown = [];
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (!colour.startsWith("rgba") || !colour.endsWith(", 0)")) return colour;
    }
    return getComputedStyle(document.body).backgroundColor;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !e.getClientRects().length || e.closest("script, style")) continue;
    if (e.closest("#confusion-shares .scatterlayer")) continue; // on cells, tested by their colours
    const style = getComputedStyle(e);
    shown.push([walker.currentNode.data.trim().slice(0, 40), e.closest("svg") ? style.fill : style.color, behind(e)]);
  }
  return shown;
}"""


def test_what_became_of_a_trial_stays_within_its_button(show: Show, rich: Path) -> None:
    """The words went on to the right, and out of the page where theirs was the last button of a row."""
    shown = show(rich, viewport={"width": 330, "height": 844})
    assert "stopped" in shown.page.locator(".multiples").inner_text()
    assert shown.evaluate(
        "() => [...document.querySelectorAll('.multiples span')].every((s) => s.scrollWidth <= s.clientWidth)"
    )


def hexadecimal(colour: str) -> str:
    values = colour[colour.index("(") + 1 : -1].split(",")[:3]
    return "#" + "".join(f"{int(float(value)):02x}" for value in values)


@pytest.mark.parametrize(("scheme", "colours"), [("light", LIGHT), ("dark", DARK)], ids=["light", "dark"])
def test_all_text_is_readable_in_both_colour_schemes(show: Show, rich: Path, scheme: str, colours: Any) -> None:
    shown = show(rich, color_scheme=scheme)
    assert hexadecimal(shown.evaluate("() => getComputedStyle(document.body).backgroundColor")) == colours.paper
    texts = shown.evaluate(TEXTS)
    assert len(texts) > 300
    assert {"validation accuracy", "λ (l2)", "tied", "fine 30"} <= {text for text, _, _ in texts}
    weak = [(text, ink, paper) for text, ink, paper in texts if contrast(hexadecimal(ink), hexadecimal(paper)) < 4.5]
    assert weak == []
    assert shown.evaluate("() => document.getElementById('history').layout.paper_bgcolor") == colours.paper


def test_figures_follow_the_colour_scheme_and_print_in_light_colours(show: Show, rich: Path) -> None:
    shown = show(rich)
    paper = "() => document.getElementById('history').layout.paper_bgcolor"
    assert shown.evaluate(paper) == LIGHT.paper
    shown.page.emulate_media(color_scheme="dark")
    assert shown.becomes(paper, DARK.paper)
    assert shown.evaluate("() => document.getElementById('history').data[0].marker.color") == DARK.coarse
    width = "() => document.getElementById('history')._fullLayout.width"
    before = shown.evaluate(width)
    shown.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert shown.evaluate(paper) == LIGHT.paper, "at once: paper does not wait"
    assert shown.evaluate(width) == 700 < before
    shown.evaluate("() => dispatchEvent(new Event('afterprint'))")
    assert shown.evaluate(paper) == DARK.paper
    assert shown.becomes(width, before)


def test_names_from_outside_run_nothing(show: Show, tmp_path: Path) -> None:
    """Neither in the page nor in a figure; the Content-Security-Policy would stop them besides."""
    path = tmp_path / "evil.html"
    path.write_text(
        render("</title><script>alert(0)</script>", list(sections_of(hostile(), made.CURVES, (4, 4), ["<b>"])))
    )
    shown = show(path)
    assert shown.evaluate("() => document.querySelectorAll('[onerror]').length") == 0
    assert shown.evaluate("() => document.querySelectorAll('script').length") == len(
        [*shown.page.locator("script[data-figure]").all(), "dark-for-light", "cycle", "plotly", "ours", "plotly's"]
    )
    labels = shown.evaluate("() => document.querySelector('#confusion-shares .yaxislayer-above').textContent")
    assert "</script><script>alert(1)</script><img src=x onerror=alert(2)>" in labels


def test_headings_landmarks_and_focus(show: Show, rich: Path) -> None:
    page = show(rich).page
    outline = page.evaluate("() => [...document.querySelectorAll('h1, h2, h3')].map((h) => h.tagName)")
    assert outline == ["H1", *["H2"] * 10]
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "Skip to the answer"
    for role in ("main", "navigation", "banner", "contentinfo"):
        assert page.get_by_role(role).count() == 1
    unnamed = """() => [...document.querySelectorAll("button, input, [role=img], [role=region], img")]
        .filter((e) => !(e.ariaLabel || e.alt || e.textContent.trim() || e.labels?.length)).length"""
    assert page.evaluate(unnamed) == 0


@pytest.fixture(params=[0, 3], ids=["begun", "some epochs"])
def under_way(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page of a study while a process is at work on it, before or after networks were first evaluated."""
    monkeypatch.setattr(schedule, "CALL_SECONDS", 0.0)  # a step a call, of 6 an epoch
    study = tiny(tmp_path, "training.epochs=400", "coarse.trials=2")
    path = tmp_path / "report.html"
    with at_work(study, n_workers=1, executor=lambda: Stopping(3 + 6 * request.param)) as session:
        with pytest.raises(KeyboardInterrupt):
            run_stage(session, "coarse")
        assert [len(t.intermediate_values) for t in trials_of(study, "coarse")] == [request.param] * 2
        path.write_text(report(study, session.store))
    return path


def test_a_study_under_way(show: Show, under_way: Path) -> None:
    """Figures were empty before the first evaluation, and the reader was told to run what was running."""
    shown = show(under_way)
    answer = shown.page.locator("#answer").inner_text()
    assert "Coarse has 0 of 2 trials" in answer
    assert "bnsearch status" in answer
    assert "bnsearch run" not in answer
    found = shown.evaluate(POINTS)
    assert all(n > 0 for n in found.values()), found
    assert bool(found) == ("once a trial has been evaluated" not in shown.page.locator("#search").inner_text())


def test_a_search_in_which_every_trial_diverged(show: Show, tmp_path: Path) -> None:
    """Nothing was drawn in the strip, as there was nothing above it; and no curve, as the first two had none."""
    lost = tuple(made.trial("coarse", i, 10**-i, 0.1, None, state="diverged") for i in range(1, 5))
    row = changed(made.COARSE.row, verdict=None, best=None, top=[])
    record = made.with_stages(made.stage(row, lost))
    short, long = {"train_accuracy": [0.1]}, {"train_accuracy": [0.1, 0.1, 0.2]}
    curves = [made.curve(t, **(long if t.number == 4 else short)) for t in lost]
    path = tmp_path / "lost.html"
    path.write_text(render("mine", list(sections_of(record, curves, (4, 4), []))))
    shown = show(path)
    marks = "() => document.querySelectorAll('#against-l2 .xy2 .point').length"
    assert shown.evaluate(marks) == 2 + 4, "the ends of the range, and the trials"
    assert shown.page.locator("[aria-pressed=true]").all_inner_texts()[0].startswith("coarse 4")
    assert "as no trial has completed" in shown.page.locator("#search").inner_text()
    assert "No trial has completed." in shown.page.locator("#learning").inner_text()


def test_a_default_outside_of_what_was_searched_is_seen(show: Show, tmp_path: Path) -> None:
    """Its line lay upon the axis; and so did the borders of the map's ranges where no trial was near."""
    setup = made.SETUP | {"training": {"l2": 1e-8, "learning_rate": 10.0}}
    path = tmp_path / "outside.html"
    path.write_text(
        render("mine", list(sections_of(made.with_stages(replace(made.COARSE, setup=setup)), [], (0, 0), [])))
    )
    shown = show(path)
    inside = """([id, name, of]) => {
        const plot = document.getElementById(id), axis = plot._fullLayout[name];
        const seen = plot.data.filter((trace) => trace.name === of).flatMap((trace) => trace[name[0]]).map(Math.log10);
        return axis.range[0] < Math.min(...seen) - 0.02 && Math.max(...seen) + 0.02 < axis.range[1];
    }"""
    assert shown.evaluate(inside, ["against-l2", "xaxis", "default"])
    assert shown.evaluate(inside, ["against-learning_rate", "xaxis", "default"])
    assert all(shown.evaluate(inside, ["map-l2-learning_rate", axis, "coarse range"]) for axis in ("xaxis", "yaxis"))


@pytest.mark.parametrize("high", [2.5e-2, 9e-2, 0.5])
def test_narrow_ranges_have_numbers_too(show: Show, tmp_path: Path, high: float) -> None:
    """Their axes named powers of ten alone, and there was none within them."""
    row = changed(made.COARSE.row, space={"learning_rate": {"low": 2e-2, "high": high, "log": True}})
    trials = tuple(made.trial("coarse", i, 1e-3, rate, 0.9) for i, rate in enumerate((2e-2, 2.2e-2, high)))
    setup = made.SETUP | {"training": {"l2": 1e-3, "learning_rate": 2e-2}}
    path = tmp_path / "narrow.html"
    record = made.with_stages(made.stage(row, trials, setup=setup))
    path.write_text(render("mine", list(sections_of(record, [], (0, 0), []))))
    labels = show(path).page.locator("#against-learning_rate .xtick text").all_inner_texts()
    assert len(labels) >= 3, labels


def test_a_double_click_shows_what_an_axis_leaves_out(show: Show, tmp_path: Path) -> None:
    """The note asked for two, of which the second undid the first."""
    trials = tuple(made.trial("coarse", i, 1e-3, 0.1, 0.9 + 0.001 * i) for i in range(20))
    far_below = made.trial("coarse", 20, 1e-3, 0.1, 0.1)
    record = made.with_stages(replace(made.COARSE, trials=(*trials, far_below)))
    path = tmp_path / "below.html"
    path.write_text(render("mine", list(sections_of(record, [], (0, 0), []))))
    shown = show(path)
    assert "double-click to see all, again to come back" in shown.page.locator("#search").inner_text()
    low = "() => document.getElementById('against-l2')._fullLayout.yaxis.range[0] < 10"
    assert not shown.evaluate(low)
    for becomes in (True, False):
        shown.page.locator("#against-l2 .nsewdrag").first.dblclick()
        assert shown.becomes(low, becomes)
        shown.page.wait_for_timeout(500)  # else plotly takes the next click for a part of this one


def test_ten_thousand_trials_are_drawn(show: Show, tmp_path: Path) -> None:
    many = tuple(
        made.trial(
            "coarse", i, 10 ** (-6 + 5 * (i * 7 % 10_000) / 1e4), 10 ** (-3 + 3 * i / 1e4), (i * 3 % 1000) / 1000
        )
        for i in range(10_000)
    )
    record = made.with_stages(replace(made.COARSE, trials=many))
    path = tmp_path / "many.html"
    path.write_text(render("mine", list(sections_of(record, made.CURVES, (4, 10_000), []))))
    shown = show(path)
    assert shown.evaluate("() => document.querySelectorAll('#against-l2 .point').length") > 1000
    assert "2,000 of 10,000 trials" in shown.page.locator("#search").inner_text()
