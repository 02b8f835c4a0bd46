# SPDX-License-Identifier: GPL-2.0-only
"""One VERSION: whoever says which version this is reads it there."""

import json
import re
import subprocess
import tomllib

import pytest

from irqcost import ROOT
from irqcost.cli import main

VERSION = (ROOT / "VERSION").read_text(encoding="utf-8").strip()


def test_a_version_is_three_numbers() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)


def test_the_command_line_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"irqcost {VERSION}\n"


def test_the_description_has_it() -> None:
    found = next((ROOT / "scripts/irqcost").rglob("description.json"))
    assert json.loads(found.read_text(encoding="utf-8"))["version"] == VERSION


def test_dkms_reads_it() -> None:
    script = '. bench_kmod/dkms.conf && echo "$PACKAGE_VERSION"'
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == VERSION


def test_the_package_reads_it() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert build["project"]["dynamic"] == ["version"]
    assert build["tool"]["setuptools"]["dynamic"]["version"] == {"file": "VERSION"}
    # What is no module has to be named.
    patterns = build["tool"]["setuptools"]["package-data"]["irqcost"]
    inside = [one for one in (ROOT / "scripts/irqcost").rglob("*") if one.is_file()]
    others = {one.suffix for one in inside if one.suffix not in (".py", ".pyc")}
    assert {f"**/*{suffix}" for suffix in others} == set(patterns)


def test_nobody_writes_it_down_again() -> None:
    for name in (
        "pyproject.toml",
        "CMakeLists.txt",
        "bench_kmod/dkms.conf",
        "bench_kmod/main.c",
        "CITATION.cff",
    ):
        assert VERSION not in (ROOT / name).read_text(encoding="utf-8"), name


def test_the_changelog_begins_with_it() -> None:
    headings = re.findall(r"^## (\S+),", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert headings[0] == VERSION
