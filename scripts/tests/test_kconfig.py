# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel's configuration says about masking."""

import gzip
from pathlib import Path

from irqcost.machine import kconfig

CONFIG = """\
#
CONFIG_SMP=y
CONFIG_PREEMPT=y
CONFIG_PREEMPTION=y
# CONFIG_PREEMPT_RT is not set
CONFIG_PARAVIRT=y
CONFIG_PARAVIRT_CLOCK=y
CONFIG_MITIGATION_RETPOLINE=y
CONFIG_RETHUNK=y
CONFIG_LOCKDEP_BITS="y"
"""
FACTS = ["PREEMPT", "PARAVIRT", "RETPOLINE", "RETHUNK", "SMP"]


def test_facts_are_those_of_the_module() -> None:
    assert kconfig.facts()[:3] == ["PREEMPT_RT", "PREEMPT", "PREEMPT_DYNAMIC"]
    assert len(kconfig.facts()) == 15


def test_where_it_is_read(tmp_path: Path) -> None:
    assert kconfig.read("6.1.0", tmp_path) is None
    modules = tmp_path / "lib/modules/6.1.0"
    modules.mkdir(parents=True)
    (modules / "config").write_text("CONFIG_SMP=y\n")
    assert kconfig.read("6.1.0", tmp_path) == ["SMP"]
    assert kconfig.read("6.1.1", tmp_path) is None
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot/config-6.1.0").write_text("# nothing\n")
    assert kconfig.read("6.1.0", tmp_path) == []
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/config.gz").write_bytes(gzip.compress(CONFIG.encode()))
    assert kconfig.read("6.1.0", tmp_path) == FACTS
    (tmp_path / "proc/config.gz").write_bytes(b"\x1f\x8b broken")
    assert kconfig.read("6.1.0", tmp_path) == []


def test_a_preemptible_kernel_is_one_with_preemption(tmp_path: Path) -> None:
    (tmp_path / "boot").mkdir()
    # 5.10 sets PREEMPT alone where it means the model, and PREEMPTION for each that can preempt.
    (tmp_path / "boot/config-x").write_text("CONFIG_PREEMPT_VOLUNTARY=y\nCONFIG_PREEMPT=y\n")
    assert kconfig.read("x", tmp_path) == []
