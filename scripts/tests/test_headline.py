# SPDX-License-Identifier: GPL-2.0-only
"""What results are called beside each other, and what their headline says."""

from irqcost.compare.labels import series
from irqcost.output.headline import headline
from results import result


def test_names_tell_results_apart() -> None:
    assert [s.name for s in series([result("exact"), result("exact-rt")])] == (
        ["6.1.0-50-amd64", "6.1.0-50-rt-amd64"]
    )
    assert [s.name for s in series([result("alpha")] * 2)] == ["(file 1)", "(file 2)"]


def test_headlines() -> None:
    names = [f"kmod/{key}/throughput" for key in ("spin_lock", "spin_lock_irqsave", "cli")]
    both = series([result("exact"), result("exact-rt")])
    assert headline(both, names, None) == (
        "spin_lock (kmod) differs most: "
        "17 instructions on 6.1.0-50-amd64, 108 on 6.1.0-50-rt-amd64"
    )
    masking = ["kmod/local_irq_save_restore/throughput", *names]
    assert headline(both[:1], masking, None) == (
        "Masking and restoring costs 10 instructions (kmod/local_irq_save_restore)"
    )
    assert headline(both, masking, None).startswith("Masking and restoring costs 10 instructions (")
    assert "; spin_lock (kmod) differs most" in headline(both, masking, None)
    twice = series([result("exact"), result("exact")])
    assert headline(twice, masking, None).endswith("; no visible difference")
    assert headline(both[:1], names, None) == ("spin_lock_irqsave costs 31 instructions, cli 1")
    mixed = series([result("alpha"), result("exact")])
    assert headline(mixed, names, None).startswith("Results in different units")
    # sahf is unreliable in both files.
    unreliable = series([result("alpha"), result("beta")])
    assert headline(unreliable, ["ring3/sahf/throughput"], None) == (
        "too noisy to compare (2 unreliable results ignored)"
    )
