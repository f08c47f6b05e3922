"""The dashboard in a browser: it opens without an error, asks nobody else, and shows notes and curves."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from bnsearch.report.dashboard import Artifacts, Dashboard
from bnsearch.search.address import default_url
from bnsearch.search.artifacts import artifact_folder
from bnsearch.search.browsing import browse
from bnsearch.search.study_file import Study
from tests.browser import PHONE, Watched, in_browser
from tests.report.test_server import served

pytestmark = in_browser
REPORT = "<!DOCTYPE html><title>The report</title><p>answer</p>"


@pytest.fixture(scope="module")
def address(shown_once: Study) -> Iterator[str]:
    browsed = browse([default_url(shown_once.folder, shown_once.name)])
    application = Dashboard(browsed, Artifacts([artifact_folder(shown_once)]), {"tiny": lambda: REPORT})
    with served(application) as running:
        yield f"http://127.0.0.1:{running.server_port}"
    browsed.close()


@pytest.fixture
def page(watched: Watched, address: str) -> Iterator[Watched]:
    """Whatever a test does with it, nothing may go wrong, and nobody else be asked."""
    yield watched
    assert watched.errors == []
    assert watched.hosts() == {address.removeprefix("http://")}


def test_studies_are_listed_without_buttons_that_change_them(page: Watched, address: str) -> None:
    page.page.goto(f"{address}/")
    for name in ("tiny.coarse", "tiny.fine", "tiny.confirm"):
        expect(page.page.get_by_text(name, exact=False).first).to_be_visible()
    for name in ("delete study", "rename study"):
        button = page.page.get_by_label(name).first
        expect(button).to_be_attached()
        expect(button).to_be_hidden()
    expect(page.page.get_by_text("Create")).to_be_hidden()
    expect(page.page.get_by_text("read-only")).to_be_visible()


def test_a_study_has_its_note_with_the_best_curve(page: Watched, address: str) -> None:
    page.page.goto(f"{address}/dashboard/studies/1/note")
    expect(page.page.get_by_role("heading", name="tiny.coarse: the wide search")).to_be_visible()
    expect(page.page.get_by_text("bnsearch fine ")).to_be_visible()
    expect(page.page.locator("td").get_by_text("logarithmic").first).to_be_visible()
    picture = page.page.get_by_alt_text("Learning curves of the first of its best trials")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 800
    expect(page.page.get_by_test_id("EditIcon")).to_be_hidden()


def test_a_trial_shows_its_curve_and_its_artifacts(page: Watched, address: str) -> None:
    page.page.goto(f"{address}/dashboard/studies/1/trials?numbers=0")
    picture = page.page.get_by_alt_text(re.compile("Learning curves of coarse 0"))
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 800
    expect(page.page.get_by_text("coarse-00000.svg")).to_be_visible()
    expect(page.page.get_by_text("coarse-00000.csv")).to_be_visible()
    page.page.get_by_label("show artifact table").click()
    expect(page.page.get_by_role("columnheader", name="valid_accuracy")).to_be_visible()


def test_figures_are_drawn(page: Watched, address: str) -> None:
    page.page.goto(f"{address}/dashboard/studies/1")
    expect(page.page.locator(".main-svg").first).to_be_visible()
    expect(page.page.get_by_text("Upload a New File")).to_be_hidden()


def test_the_report_is_one_click_away(page: Watched, address: str) -> None:
    page.page.goto(f"{address}/dashboard")
    page.page.get_by_role("link", name="tiny", exact=True).click()
    expect(page.page).to_have_title("The report")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone(browser: Browser, address: str, scheme: str) -> None:
    page = browser.new_page(viewport=PHONE, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{address}/dashboard/studies/1/note")
    picture = page.get_by_alt_text("Learning curves of the first of its best trials")
    expect(picture).to_be_visible()
    box = picture.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 390
    page.close()
