# SPDX-License-Identifier: GPL-2.0-only
"""Headless Chromium for tests of pages; importing this skips a module where there is none."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="no Selenium: python3-selenium")
from selenium.webdriver.chrome.service import Service  # noqa: E402

if not (shutil.which("chromium") and shutil.which("chromedriver")):
    pytest.skip(
        "no Chromium to open pages with: install chromium and chromium-driver",
        allow_module_level=True,
    )

# Root has no sandbox in a container, and a container hardly any shared memory.
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
)


@contextmanager
def started() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in _FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    made = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
    yield made
    made.quit()


def emulate(browser: Any, width: int, scheme: str, media: str = "") -> None:
    """A window of so many pixels, on paper or on a screen with these colours."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": [feature]})
