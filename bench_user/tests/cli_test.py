# SPDX-License-Identifier: GPL-2.0-only
"""The harness as a user runs it: exit codes, messages, and the file that it leaves."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

BENCH = ""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the harness; a hang is a failure."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BENCHMARK_")}
    return subprocess.run(
        [BENCH, *arguments], capture_output=True, text=True, env=environment, timeout=120
    )


class Usage(unittest.TestCase):
    """What is refused, before anything is measured."""

    def refused(self, text: str, *arguments: str) -> None:
        done = run(*arguments)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(text, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_unknown_flags(self) -> None:
        self.refused("--irqcost_smaples", "--irqcost_smaples=3")
        self.refused("--benchmark_filtre", "--benchmark_filtre=x")
        self.refused("stray", "stray")

    def test_bad_value_of_a_flag_of_the_library(self) -> None:
        self.refused("--benchmark_repetitions=x", "--benchmark_repetitions=x")

    def test_min_time_names_what_to_use(self) -> None:
        self.refused("--irqcost_samples", "--benchmark_min_time=1")

    def test_filter_that_matches_nothing(self) -> None:
        self.refused("no benchmark", "--benchmark_filter=nosuchprobe")
        self.refused("no benchmark", "--benchmark_filter=nosuchprobe", "--benchmark_list_tests")

    def test_filter_that_is_no_expression(self) -> None:
        self.refused("no regular expression", "--benchmark_filter=(")

    def test_cpu_that_is_not_there(self) -> None:
        self.refused("CPU 65000 is not online; online are: ", "--irqcost_cpu=65000")

    def test_backend_that_cannot_run(self) -> None:
        self.refused(
            "/no/such/device", "--irqcost_backends=kmod", "--irqcost_device=/no/such/device"
        )

    def test_out_that_cannot_be_written(self) -> None:
        self.refused("/no/such/folder/x.json", "--benchmark_out=/no/such/folder/x.json")


class Lists(unittest.TestCase):
    """What is printed without measuring."""

    def test_help_names_both_kinds_of_flags(self) -> None:
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("--irqcost_samples", done.stdout)
        self.assertIn("--benchmark_filter", done.stdout)

    def test_names_are_bare(self) -> None:
        done = run(
            "--benchmark_list_tests", "--irqcost_backends=ring3", "--benchmark_filter=/pushf/"
        )
        self.assertEqual(done.stdout, "ring3/pushf/throughput\nring3/pushf/isolated\n")
        self.assertEqual(done.returncode, 0)

    def test_backends(self) -> None:
        done = run("--irqcost_list_backends", "--irqcost_device=/no/such/device")
        backends = json.loads(done.stdout)
        self.assertEqual(backends["ring3"], {"usable": True})
        self.assertEqual(set(backends["kmod"]), {"usable", "reason", "remedy"})
        self.assertFalse(backends["kmod"]["usable"])


class Measuring(unittest.TestCase):
    """A run with few samples."""

    quick = ("--irqcost_backends=ring3", "--irqcost_samples=20", "--benchmark_filter=/(popf|nop)/")

    def test_a_signal_leaves_no_file(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with tempfile.TemporaryDirectory() as folder:
                process = subprocess.Popen(
                    [BENCH, "--irqcost_backends=ring3", f"--benchmark_out={folder}/x.json"],
                    stdout=subprocess.DEVNULL,
                )
                while not os.listdir(folder):
                    self.assertIsNone(process.poll())
                    time.sleep(0.001)
                time.sleep(0.2)
                process.send_signal(number)
                self.assertEqual(process.wait(timeout=60), -number)
                self.assertEqual(os.listdir(folder), [])

    def test_result_file(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "x.json")
            done = run(*self.quick, f"--benchmark_out={out}", "--benchmark_repetitions=2")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(os.listdir(folder), ["x.json"])
            self.assertNotIn("manual_time", done.stdout)
            document = json.loads(out.read_text(encoding="utf-8"))
        context = document["context"]
        self.assertEqual(context["executable"], "irqcost-bench")
        irqcost = context["irqcost"]
        self.assertEqual(
            set(irqcost),
            {"schema", "version", "architecture", "catalogue_hash", "command", "execution"}
            | {"instruction_clock"}
            | {"cpu", "kernel", "cpuid_hypervisor", "settings", "tsc", "backends", "controls"}
            | {"baselines"}
            | {
                "calibration",
                "sensor",
                "code",
                "cycles",
                "absent",
                "compiler",
                "build",
                "conditions",
            }
            | {"cpuid_hypervisor", "kernel_hypervisor"},
        )
        self.assertRegex(irqcost["build"]["sha256"], "^[0-9a-f]{64}$")
        self.assertEqual(
            irqcost["build"]["sha256"], hashlib.sha256(Path(BENCH).read_bytes()).hexdigest()
        )
        if siblings := irqcost["settings"]["siblings"]:  # The kernel of a sandbox may not tell.
            self.assertIn(str(irqcost["cpu"]["measured"]), siblings)
        self.assertGreater(sum(irqcost["conditions"]["cpu_seconds"].values()), 0)
        self.assertIsInstance(irqcost["conditions"]["interrupts"], dict)
        self.assertEqual(len(irqcost["conditions"]["load_avg"]["end"]), 3)
        self.assertEqual(irqcost["schema"], 2)
        self.assertRegex(irqcost["catalogue_hash"], "^[0-9a-f]{16}$")
        self.assertIn("--benchmark_filter=/(popf|nop)/", irqcost["command"])
        self.assertNotIn(folder, json.dumps(irqcost["command"]))
        self.assertEqual(irqcost["kernel"]["release"], os.uname().release)
        self.assertGreater(irqcost["tsc"]["khz"], 0)
        self.assertGreaterEqual(irqcost["tsc"]["step"], 1)
        self.assertIn("clock_source", irqcost["tsc"])
        runs = [b for b in document["benchmarks"] if b["run_type"] == "iteration"]
        self.assertEqual(
            [b["name"] for b in runs],
            [
                f"ring3/{p}/{m}"
                for p in ("nop", "popf")
                for m in ("throughput", "isolated")
                for _ in range(2)
            ],
        )
        for bench in runs:
            self.assertEqual(bench["samples"], 20)
            self.assertAlmostEqual(
                bench["real_time"], bench["ticks"] * 1e6 / irqcost["tsc"]["khz"], places=6
            )
        aggregates = {b["aggregate_name"] for b in document["benchmarks"] if b not in runs}
        self.assertIn("median", aggregates)

    def test_json_on_standard_output(self) -> None:
        done = run(*self.quick, "--benchmark_format=json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(json.loads(done.stdout)["benchmarks"]), 4)

    def test_full_disk(self) -> None:
        done = run(*self.quick, "--benchmark_out=/dev/full")
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot write /dev/full", done.stderr)

    def test_unroll_factor_is_obeyed(self) -> None:
        done = run(*self.quick, "--irqcost_unroll=4", "--benchmark_format=json")
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    BENCH = sys.argv.pop(1)
    unittest.main()
