# SPDX-License-Identifier: GPL-2.0-only
"""The suites of tests: of the harness, and of scripts and module; how many ended how."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from irqcost import ROOT
from irqcost.base.errors import BuildError
from irqcost.base.progress import Progress
from irqcost.measure import build

# What users measure with, so that neither is built twice.
_PRESET = "release"

# As gcc and clang begin it.
_WARNING = re.compile(r"^(?:/.+:\d+|\w+): warning: .*", re.MULTILINE)


@dataclass(frozen=True)
class Counts:
    """How many tests ended how, and why how many were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    reasons: Counter[str] = field(default_factory=Counter, compare=False)

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.reasons + other.reasons,
        )

    def __str__(self) -> str:
        text = f"{self.passed} passed, {self.failed} failed"
        return f"{text}, {self.skipped} skipped" if self.skipped else text

    def skips(self) -> list[str]:
        """A line for each reason, the most frequent first."""
        return [f"{number:5} skipped: {reason}" for reason, number in self.reasons.most_common()]


def count(junit: Path) -> Counts:
    """Tests in a JUnit file. One that is missing or broken counts as a failure: its runner died."""
    try:
        root = ElementTree.parse(junit).getroot()
    except (OSError, ElementTree.ParseError):
        print(f"irqcost: {junit}: the tests did not run to their end", file=sys.stderr)
        return Counts(failed=1)
    return _count(root.iter("testsuite"))


def _count(suites: Iterable[ElementTree.Element]) -> Counts:
    total = Counts()
    for suite in suites:

        def number(*keys: str) -> int:
            return sum(int(suite.get(key, "0")) for key in keys)

        failed = number("failures", "errors")
        skipped = number("skipped", "disabled")
        reasons = Counter(_reason(case) for case in suite.iter("testcase") if _is_skipped(case))
        total += Counts(number("tests") - failed - skipped, failed, skipped, reasons)
    return total


def _is_skipped(case: ElementTree.Element) -> bool:
    return case.find("skipped") is not None or case.get("status") in ("disabled", "notrun")


# What a test says where it is skipped, by runner: pytest of a whole file, GoogleTest, and the
# programs of our own that ctest runs. ctest itself only knows which sign it saw.
_SAID = (r"'Skipped: (.*)'\)", r": Skipped\n(.+)", r"^SKIP: (.+)")


def _reason(case: ElementTree.Element) -> str:
    """Why a test was skipped, in one line."""
    skipped = case.find("skipped")
    message = "" if skipped is None else skipped.get("message", "")
    said = "\n".join([case.findtext("skipped", ""), case.findtext("system-out", "")])
    for sign in _SAID:
        if found := re.search(sign, said, re.M):
            return found[1].strip()
    return " ".join(message.split()) or "no reason given"


def harness_tests() -> Counts:
    try:
        build.harness(_PRESET, target="all")
    except BuildError as error:
        print(f"irqcost: {error}", file=sys.stderr)
        return Counts(failed=1)
    warned = compiler_warnings(build.build_log(_PRESET))
    for one in warned:
        print(f"irqcost: {one}", file=sys.stderr)
    junit = _fresh("ctest.xml")
    command = ["ctest", "--preset", _PRESET, f"-j{os.cpu_count()}", "--output-junit", str(junit)]
    with Progress("tests of the harness"):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n", end="")
    return count(junit) + Counts(failed=len(warned))


def compiler_warnings(log: Path) -> list[str]:
    """The warnings in the log of a build: each is a failure here, but no error in the build, which
    a newer compiler of a user must not break. A log has what was compiled in that build: all of it
    in a fresh checkout."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return list(dict.fromkeys(_WARNING.findall(text)))


def python_tests(fast: bool) -> Counts:
    junit = _fresh("pytest.xml")
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "--tb=short", f"--junitxml={junit}"]
    # A worker a CPU, but no more guests than a large machine's memory has room for.
    command += ["--numprocesses=auto", "--maxprocesses=8", "--dist=loadgroup"]
    if fast:
        command += ["-m", "not guest"]
    print("tests of the scripts and of the module …", file=sys.stderr, flush=True)
    subprocess.run(command, cwd=ROOT)
    return count(junit)


def _fresh(name: str) -> Path:
    """A place for a report, without the one of an earlier run."""
    path = ROOT / "build" / _PRESET / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    return path
