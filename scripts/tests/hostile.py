# SPDX-License-Identifier: GPL-2.0-only
"""A result file whose texts are markup that would run, for tests of what shows them."""

from pathlib import Path
from typing import Any

import machine_code
import results

TEXT = '<script>document.title="owned"</script><img src=x onerror="document.title=1">\'`|alert(1)'


def result(target: Path) -> Path:
    """Golden file alpha with such texts wherever a file may have any."""
    return results.changed("alpha", target, _change)


def _change(document: Any) -> None:
    ours = document["context"]["irqcost"]
    ours["cpu"]["brand"] = TEXT
    ours["kernel"]["release"] = TEXT
    ours["kernel"]["command_line"] = TEXT
    ours["settings"]["governor"] = TEXT
    ours["settings"]["mitigations"] = {TEXT: TEXT}
    ours["command"] = [TEXT]
    ours["absent"] = [{"name": TEXT, "reason": TEXT}]
    ours["machine_code"] = machine_code.of("ring3/popf", machine_code.function(TEXT, "9dc3"))
    ours["code"] = {"popf": TEXT}
    document["context"]["date"] = TEXT
    for one in document["benchmarks"]:
        one["label"] = TEXT
