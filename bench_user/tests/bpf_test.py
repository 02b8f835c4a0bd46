# SPDX-License-Identifier: GPL-2.0-only
"""Backend bpf on the running kernel, where it can run: exit code 4 (skipped) where it cannot."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

SKIPPED = 4
BENCH = ""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the harness; a hang is a failure."""
    return subprocess.run([BENCH, *arguments], capture_output=True, text=True, timeout=300)


def why_unavailable() -> str | None:
    """Why the backend cannot run here."""
    backend = json.loads(run("--irqcost_list_backends", "--irqcost_backends=bpf").stdout)["bpf"]
    return None if backend["usable"] else f"{backend['reason']}; remedy: {backend['remedy']}"


class Result(unittest.TestCase):
    """One run of all rows."""

    ours: dict[str, Any]
    entries: dict[str, dict[str, Any]]

    @classmethod
    def setUpClass(cls) -> None:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "bpf.json")
            done = run("--irqcost_backends=bpf", f"--benchmark_out={out}")
            assert done.returncode == 0, done.stderr
            document = json.loads(out.read_text(encoding="utf-8"))
        cls.ours = document["context"]["irqcost"]
        cls.entries = {entry["name"]: entry for entry in document["benchmarks"]}

    def control(self, probe: str, known: float) -> None:
        """A known figure, within what this run itself says of its noise and of its clock's step."""
        entry = self.entries[f"bpf/{probe}/throughput"]
        if "core_cycles" not in entry:
            self.skipTest("no core cycle is counted where execution is emulated")
        if entry["label"] != "clean":
            self.skipTest(entry["label"])
        ticks_per_cycle = entry["ticks"] / entry["core_cycles"]
        noise = entry["spread"] / ticks_per_cycle
        # The limit within which samples count as of one clock (docs/method/noise.md).
        clock = 0.005 * known
        self.assertAlmostEqual(entry["core_cycles"], known, delta=noise + clock)

    def test_dependent_add_takes_1_cycle(self) -> None:
        self.control("dep_add", 1)

    def test_dependent_multiply_takes_what_ring_3_found(self) -> None:
        latency = self.ours["calibration"]["imul_latency"]
        if latency is None:
            self.skipTest(self.ours["calibration"]["reason"])
        self.control("dep_imul", latency)

    def test_masking_costs_more_than_the_call(self) -> None:
        if "bpf/irq_save_restore/throughput" not in self.entries:
            self.skipTest("this kernel has no bpf_local_irq_save")
        pair = self.entries["bpf/irq_save_restore/throughput"]["ticks"]
        self.assertGreater(pair, 2 * self.entries["bpf/call/throughput"]["ticks"])
        nested = self.entries["bpf/irq_save_restore_nested/throughput"]["ticks"]
        self.assertGreater(nested, pair)

    def test_clock_is_described(self) -> None:
        clock = self.ours["backends"]["bpf"]["clock"]
        self.assertEqual(clock["name"], "bpf_ktime_get_ns")
        self.assertGreaterEqual(clock["step_ns"], 1)

    def test_derived_figures_lie_in_their_bounds(self) -> None:
        for derived in self.ours["derived"]:
            with self.subTest(derived["name"]):
                self.assertLessEqual(derived["low"], derived["core_cycles"])
                self.assertLessEqual(derived["core_cycles"], derived["high"])
                row = derived["name"].split("/")[1]
                as_called = self.entries[f"bpf/{row}/throughput"]["core_cycles"]
                self.assertAlmostEqual(derived["inputs"][row], as_called, places=4)
                self.assertLess(derived["core_cycles"], as_called)

    def functions(self) -> dict[str, dict[str, Any]]:
        """By benchmark and symbol, the functions recorded."""
        recorded = self.ours.get("machine_code", {"functions": [], "probes": {}})
        return {
            row: {recorded["functions"][at]["symbol"]: recorded["functions"][at] for at in places}
            for row, places in recorded["probes"].items()
        }

    def test_machine_code_is_recorded_once(self) -> None:
        if not (found := self.functions()):
            self.skipTest(str(self.ours["absent"]))
        for row in found:
            self.assertIn(f"{row}/throughput", self.entries)
        functions = [json.dumps(one) for one in self.ours["machine_code"]["functions"]]
        self.assertEqual(len(functions), len(set(functions)))
        # The program itself: the JIT makes one instruction of each of the chain and of the body.
        code = base64.b64decode(found["bpf/dep_imul"]["program"]["code"])
        self.assertGreaterEqual(code.count(b"\x0f\xaf"), 32 + 64 + 16 + 32)
        if save := found.get("bpf/irq_save_restore"):
            # pushf and cli, or calls of what a paravirtual kernel has in their place: without them
            # it does not save and mask.
            code = base64.b64decode(save["bpf_local_irq_save"]["code"])
            called = " ".join(save["bpf_local_irq_save"]["targets"])
            self.assertTrue(b"\x9c" in code or "_save_fl" in called)
            self.assertTrue(b"\xfa" in code or "_irq_disable" in called)

    def test_no_figure_is_derived_without_the_calls_within(self) -> None:
        derived = {one["name"] for one in self.ours["derived"]}
        absent = {one["name"]: one["reason"] for one in self.ours["absent"]}
        for row, functions in self.functions().items():
            called = (one["targets"] for name, one in functions.items() if name != "program")
            calls = [name for targets in called for name in targets if "_irq_disable" in name]
            if calls and f"{row}/throughput" in self.entries:
                self.assertNotIn(f"{row}/alone", derived)
                if f"{row}/alone" in absent:
                    self.assertIn("in turn", absent[f"{row}/alone"])


class LiveCode(unittest.TestCase):
    """--irqcost_machine_code."""

    def test_function_that_is_not_there(self) -> None:
        done = run("--irqcost_machine_code=no_such_function")
        if done.returncode == 2:
            self.skipTest(done.stderr)
        document = json.loads(done.stdout)
        self.assertEqual(document["functions"], [])
        self.assertIn("no_such_function", document["absent"][0]["reason"])

    def test_empty_name_is_refused(self) -> None:
        done = run("--irqcost_machine_code=a,,b")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--irqcost_machine_code", done.stderr)


if __name__ == "__main__":
    BENCH = sys.argv.pop(1)
    if reason := why_unavailable():
        print(f"SKIP: backend bpf: {reason}")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
