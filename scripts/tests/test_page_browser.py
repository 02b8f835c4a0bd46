# SPDX-License-Identifier: GPL-2.0-only
"""The report's page in a browser: what its script does, and what the browser is not made to do."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import browser as browser_
import hostile
import results
from irqcost import cli
from irqcost.model import published

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on a hostile file among others, with pictures, one of which lacks rows."""
    folder = tmp_path_factory.mktemp("page")
    files = [hostile.result(folder / "hostile.json"), results.path("beta"), results.path("exact")]
    # All of them take long to draw; these are more than fit.
    flags = [one for one in published.read() if one.primitive == "pushf_popf"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(published, "read", lambda: flags)
        assert cli.main(["report", *map(str, files), "-o", str(folder / "out")]) == 0
    return folder / "out" / "report.html"


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    with browser_.started() as made:
        yield made


@pytest.fixture
def browser(driver: Any, page: Path) -> Any:
    """The browser with the page just opened, at the width of a desk."""
    browser_.emulate(driver, 1280, "light")
    driver.get_log("performance")
    driver.get(page.as_uri())
    return driver


def _one(browser: Any, selector: str) -> Any:
    return browser.find_element(By.CSS_SELECTOR, selector)


def _column(browser: Any, place: int) -> list[str]:
    """The texts in a column of the first table, in the rows that are seen."""
    script = (
        "return [...document.querySelectorAll('#real-table tbody tr')]"
        ".filter((row) => row.offsetParent).map((row) => row.cells[arguments[0]].textContent)"
    )
    found: list[str] = browser.execute_script(script, place)
    return found


def test_nothing_runs_but_the_page(browser: Any, page: Path) -> None:
    """No error, no request but for the page itself, and no text of a file that became code."""
    events = [json.loads(one["message"])["message"] for one in browser.get_log("performance")]
    asked = [
        one["params"]["request"]["url"]
        for one in events
        if one["method"] == "Network.requestWillBeSent"
    ]
    assert asked == [page.as_uri()]
    assert browser.get_log("browser") == []
    assert browser.title.startswith("What masking interrupts costs on ")
    assert browser.execute_script("return document.images.length + document.scripts.length") == 1
    assert hostile.TEXT in _one(browser, "#results").text
    link = _one(browser, "figcaption a")
    assert link.text == "The table has all results." and _one(
        browser, f"[id='{link.get_attribute('hash')[1:]}']"
    )


def test_the_policy_refuses_a_script_that_was_slipped_in(browser: Any) -> None:
    browser.execute_script(
        "const made = document.createElement('script'); made.textContent = 'document.title = 1';"
        "document.body.append(made);"
    )
    assert browser.title != "1"
    assert "Content Security Policy" in str(browser.get_log("browser"))


def test_the_head_of_a_column_sorts(browser: Any) -> None:
    head = _one(browser, "#real-table thead th:nth-child(4)")
    button = head.find_element(By.TAG_NAME, "button")

    def values() -> list[float]:
        return [float(text.split()[0]) for text in _column(browser, 3) if text != "–"]

    before = _column(browser, 0)
    button.click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert values() == sorted(values()) and len(set(values())) > 2
    button.send_keys(Keys.ENTER)
    assert head.get_attribute("aria-sort") == "descending"
    assert values() == sorted(values(), reverse=True)
    assert sorted(_column(browser, 0)) == sorted(before)
    _one(browser, "#real-table thead th:first-child button").click()
    assert head.get_attribute("aria-sort") is None
    assert _column(browser, 0) == sorted(before)


def test_the_table_is_filtered(browser: Any) -> None:
    rows = len(_column(browser, 0))
    _one(browser, "form[data-table=real-table] input[type=search]").send_keys("POPF through")
    assert 0 < len(_column(browser, 0)) < rows
    assert all("popf" in text for text in _column(browser, 0))
    assert set(_column(browser, 2)) == {"throughput"}
    shown = _one(browser, "form[data-table=real-table] output").text
    assert shown == f"{len(_column(browser, 0))} of {rows} rows"
    _one(browser, "form[data-table=real-table] input[type=search]").clear()
    _one(browser, "form[data-table=real-table] option[value=isolated]").click()
    assert set(_column(browser, 2)) == {"isolated"}


def test_details_are_shown_to_pointer_and_keyboard(browser: Any) -> None:
    details = _one(browser, "#details")
    cell = _one(browser, "#real-table td[data-details]")
    assert not details.is_displayed()
    ActionChains(browser).move_to_element(cell).perform()
    assert details.is_displayed() and "interval" in details.text or "spread" in details.text
    ActionChains(browser).move_to_element(_one(browser, "h1")).perform()
    assert not details.is_displayed()
    cell.send_keys(Keys.ARROW_DOWN)
    moved = browser.switch_to.active_element
    assert moved != cell and moved.get_attribute("aria-describedby") == "details"
    assert details.text.split("\n")[0] != cell.get_attribute("data-details").split("\n")[0]
    moved.send_keys(Keys.ESCAPE)
    assert not details.is_displayed()


_SEEN = (
    "const style = (selector) => getComputedStyle(document.querySelector(selector));"
    "return [style('body').backgroundColor, style('figure .light.desk').display, "
    "style('figure .dark.desk').display]"
)
_LIGHT = ["rgb(255, 255, 255)", "block", "none"]
_DARK = ["rgb(13, 17, 23)", "none", "block"]


def test_colours_follow_the_system_until_they_are_chosen(browser: Any) -> None:
    assert browser.execute_script(_SEEN) == _LIGHT
    browser_.emulate(browser, 1280, "dark")
    assert browser.execute_script(_SEEN) == _DARK
    _one(browser, "input[value=light]").click()
    assert browser.execute_script(_SEEN) == _LIGHT
    browser_.emulate(browser, 1280, "light")
    _one(browser, "input[value=dark]").click()
    assert browser.execute_script(_SEEN) == _DARK
    browser_.emulate(browser, 1280, "dark", media="print")
    assert browser.execute_script(_SEEN) == _LIGHT  # Paper is white.
    assert not _one(browser, "form.filter").is_displayed()


def test_a_phone_is_not_made_to_scroll_sideways(browser: Any) -> None:
    browser_.emulate(browser, 360, "light")
    widths = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert widths == [360, 360]
    # The table scrolls in its frame, but what the first primitive costs is there at once.
    cell = _one(browser, "#real-table tbody td.number")
    assert cell.rect["x"] >= 0 and cell.rect["x"] + cell.rect["width"] <= 360
    # Charts are those that were drawn for it.
    shown = browser.execute_script(
        "return [...document.querySelectorAll('figure svg')].filter((one) => one.clientWidth)"
        ".map((one) => [one.parentElement.className, one.clientWidth])"
    )
    assert shown and all(name == "light phone" and width <= 360 for name, width in shown)
