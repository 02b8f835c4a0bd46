# SPDX-License-Identifier: GPL-2.0-only
"""A check as JUnit XML, which nearly every CI server shows: a suite a result, a case a figure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from irqcost.base.safety.texts import xml
from irqcost.base.verdicts import Change

if TYPE_CHECKING:
    from irqcost.compare.checked import Checked

# What a figure's verdict is called there; what is not named is a test that passed.
_ELEMENTS = {
    Change.REGRESSION: "failure",
    Change.INCOMPARABLE: "error",
    Change.INCONCLUSIVE: "skipped",
}
_COUNTS = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def text(checked: Sequence["Checked"]) -> str:
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
                said = ElementTree.SubElement(case, element, message=xml(figure.reason))
                if element != "skipped":
                    said.set("type", figure.status)
                # GitLab shows the text of an element and not its message.
                said.text = xml(figure.reason)
        for key, count in counts.items():
            suite.set(key, str(count))
            totals[key] += count
        suite.set("time", "0")
    # Jenkins' schema knows no `skipped` here, and refuses the file.
    for key in ("tests", "failures", "errors"):
        root.set(key, str(totals[key]))
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'
