# SPDX-License-Identifier: GPL-2.0-only
"""What results are called beside each other."""

from irqcost.compare.labels import series
from results import result


def test_names_tell_results_apart() -> None:
    assert [s.name for s in series([result("exact"), result("exact-rt")])] == (
        ["6.1.0-50-amd64", "6.1.0-50-rt-amd64"]
    )
    assert [s.name for s in series([result("alpha")] * 2)] == ["(file 1)", "(file 2)"]
