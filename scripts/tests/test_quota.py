# SPDX-License-Identifier: GPL-2.0-only
"""Quotas of CPU time, by control groups of both kinds."""

from pathlib import Path

import pytest

import fake_host
from irqcost.machine.hostfacts import Tree
from irqcost.machine.quota import Quota, tightest_quota

_V2 = "30 1 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
_V1 = "31 1 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
_V1_CPUSET = "32 1 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"


def found(root: Path, mounts: str, group: str, **files: str) -> Quota | None:
    """`files` by path below /sys/fs/cgroup."""
    tree = {f"sys/fs/cgroup/{name}": f"{text}\n" for name, text in files.items()}
    tree |= {"proc/self/mountinfo": mounts, "proc/self/cgroup": group}
    return tightest_quota(Tree(fake_host.build(root, tree)).read)


def test_none(tmp_path: Path) -> None:
    assert tightest_quota(Tree(tmp_path).read) is None
    assert found(tmp_path, _V2, "0::/a\n", **{"a/cpu.max": "max 100000"}) is None


def test_of_the_group_itself(tmp_path: Path) -> None:
    quota = found(tmp_path, _V2, "0::/a/b\n", **{"a/b/cpu.max": "50000 100000"})
    assert quota == Quota(0.5, "/sys/fs/cgroup/a/b/cpu.max")
    assert str(quota) == "0.5 CPUs by /sys/fs/cgroup/a/b/cpu.max"


def test_the_tightest_of_the_parents_counts(tmp_path: Path) -> None:
    files = {"cpu.max": "max 100000", "a/cpu.max": "30000 20000", "a/b/cpu.max": "400000 100000"}
    quota = found(tmp_path, _V2, "0::/a/b/c\n", **files)
    assert quota == Quota(1.5, "/sys/fs/cgroup/a/cpu.max")


def test_of_the_first_version(tmp_path: Path) -> None:
    files = {
        "cpu,cpuacct/cpu.cfs_quota_us": "-1",
        "cpu,cpuacct/cpu.cfs_period_us": "100000",
        "cpu,cpuacct/box/cpu.cfs_quota_us": "100000",
        "cpu,cpuacct/box/cpu.cfs_period_us": "100000",
        "cpuset/box/cpu.cfs_quota_us": "1",
        "cpuset/box/cpu.cfs_period_us": "100000",
    }
    group = "4:cpuset:/box\n3:cpu,cpuacct:/box/inner\n0::/\n"
    quota = found(tmp_path, _V1 + _V1_CPUSET, group, **files)
    assert quota is not None and quota.cpus == 1 and quota.file.endswith("box/cpu.cfs_quota_us")
    assert str(quota).startswith("1 CPU by")


@pytest.mark.parametrize("root, group", [("/box/1", "/box/1"), ("/box/1", "/"), ("/", "/../..")])
def test_in_a_container(tmp_path: Path, root: str, group: str) -> None:
    """Its own group is mounted as if it were the topmost, whatever it is called within."""
    mounts = _V2.replace("0:26 / ", f"0:26 {root} ")
    quota = found(tmp_path, mounts, f"0::{group}\n", **{"cpu.max": "25000 100000"})
    assert quota == Quota(0.25, "/sys/fs/cgroup/cpu.max")


def test_a_mount_with_a_blank(tmp_path: Path) -> None:
    mounts = _V2.replace("/sys/fs/cgroup", "/my\\040groups")
    tree = {"my groups/cpu.max": "10000 100000\n", "proc/self/mountinfo": mounts}
    tree["proc/self/cgroup"] = "0::/\n"
    quota = tightest_quota(Tree(fake_host.build(tmp_path, tree)).read)
    assert quota == Quota(0.1, "/my groups/cpu.max")
