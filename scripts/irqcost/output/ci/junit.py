# SPDX-License-Identifier: GPL-2.0-only
"""A check as JUnit XML, which nearly every CI server shows: a suite a result, a case a figure."""

from collections.abc import Sequence
from xml.etree import ElementTree

from irqcost.base.safety.texts import xml
from irqcost.base.verdicts import Change
from irqcost.compare.checked import Checked

# JUnit's element for each verdict; every other verdict is a passed test.
_ELEMENTS = {
    Change.REGRESSION: "failure",
    Change.INCOMPARABLE: "error",
    Change.INCONCLUSIVE: "skipped",
}
_COUNTS = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def text(checked: Sequence[Checked]) -> str:
    """The document."""
    root = ElementTree.Element("testsuites")
    totals = dict.fromkeys(["tests", *_COUNTS.values()], 0)
    for one in checked:
        name = xml(one.new.path.name)
        counts = dict.fromkeys(totals, 0)
        suite = ElementTree.SubElement(root, "testsuite", name=name)
        for figure in one.judged:
            backend, _, rest = figure.name.partition("/")
            case = ElementTree.SubElement(
                suite, "testcase", classname=f"irqcost.{xml(backend)}", name=xml(rest)
            )
            case.set("time", "0")
            counts["tests"] += 1
            if element := _ELEMENTS.get(figure.status):
                counts[_COUNTS[element]] += 1
                _add(case, element, figure.status, figure.reason)
        if one.refused:
            # One cause, one error, however many results could not be checked.
            case = ElementTree.SubElement(
                suite, "testcase", classname="irqcost", name="baseline", time="0"
            )
            counts["tests"] += 1
            counts["errors"] += 1
            _add(case, "error", Change.INCOMPARABLE, one.refused)
        for key, count in counts.items():
            suite.set(key, str(count))
            totals[key] += count
        suite.set("time", "0")
    # Jenkins' schema has no `skipped` here and refuses the file.
    for key in ("tests", "failures", "errors"):
        root.set(key, str(totals[key]))
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _add(case: ElementTree.Element, element: str, kind: str, reason: str) -> None:
    said = ElementTree.SubElement(case, element, message=xml(reason))
    if element != "skipped":
        said.set("type", kind)
    # GitLab shows the text of an element and not its message.
    said.text = xml(reason)
