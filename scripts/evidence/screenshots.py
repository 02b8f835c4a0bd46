# SPDX-License-Identifier: GPL-2.0-only
"""Takes the pictures of docs/report/: a report's page at a desk, in the dark with the details of a
result, and at the width of a phone. Needs chromium, chromium-driver and python3-selenium. Usage, in
the checkout:

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/screenshots.py RESULT results/emulated
"""

import argparse
import base64
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from irqcost import ROOT

# Root has no sandbox in a container, and a container hardly any shared memory.
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars")

_TABLE = "#real-table"
# Sorted by cost, the most expensive first, with the table's filters in view; then a result in it.
_SORT = f"""
const costs = document.querySelector("{_TABLE} thead th:nth-child(4) button");
costs.click();
costs.click();
scrollTo(0, document.querySelector("{_TABLE}").getBoundingClientRect().top + scrollY - 245);
"""
_DETAILS = f"""
document.querySelectorAll("{_TABLE} tbody tr")[4].querySelector("[data-details]").focus();
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", metavar="FILE|FOLDER", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "report")
    args = parser.parse_args()
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in _FLAGS:
        options.add_argument(flag)
    with tempfile.TemporaryDirectory(prefix="irqcost-") as work:
        command = [ROOT / "irqcost", "report", *args.results, "-o", work]
        subprocess.run(list(map(str, command)), check=True)
        with Chrome(service=Service(shutil.which("chromedriver")), options=options) as browser:
            page = Path(work, "report.html").as_uri()
            take(browser, page, args.out / "desk.png", (1280, 1500), "light")
            take(browser, page, args.out / "dark.png", (1280, 1000), "dark", _SORT, _DETAILS)
            take(browser, page, args.out / "phone.png", (360, 1500), "light")


def take(
    browser: Any, page: str, target: Path, size: tuple[int, int], scheme: str, *scripts: str
) -> None:
    """A picture of so many pixels, after these scripts have run."""
    width, height = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get(page)
    for script in scripts:
        browser.execute_script(script)
    png = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
    target.write_bytes(base64.b64decode(png))
    print(target)


if __name__ == "__main__":
    main()
