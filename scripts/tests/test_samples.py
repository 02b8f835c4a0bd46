# SPDX-License-Identifier: GPL-2.0-only
"""--keep-samples: what a result was made of, beside it."""

import json
import lzma
from pathlib import Path

from processes_of import entry, process
from irqcost import cli
from irqcost.measure import samples
from irqcost.measure.simulation import traits
from irqcost.model import reader

NAME = "ring3/popf/throughput"


def read(path: Path) -> dict[str, object]:
    content = lzma.decompress(path.read_bytes()).decode()
    document: dict[str, object] = json.loads(content)
    return document


def test_each_process_keeps_its_own(tmp_path: Path) -> None:
    processes = [process(entry(NAME, value)) for value in (13.0, 14.0)]
    target = samples.beside(tmp_path / "a.json")
    samples.write(target, tmp_path / "a.json", processes)
    assert target.name == "a.samples.json.xz"
    assert read(target) == {
        "samples": 1,
        "result": "a.json",
        "processes": [
            {NAME: {"unit": "core_cycles", "clean": [value] * 3, "contaminated": [2 * value]}}
            for value in (13.0, 14.0)
        ],
    }


def test_a_run_keeps_them_only_where_asked(tmp_path: Path) -> None:
    machine = tmp_path / "machine.json"
    machine.write_text(json.dumps(traits.description(traits.cores()[0], "quiet", 1)), "utf-8")

    def run(name: str, *more: str) -> int:
        command = ["run", "--simulate", str(machine), "--quick", "--filter", "popf/throughput"]
        return cli.main([*command, "--out", str(tmp_path / name), *more])

    assert run("with.json", "--keep-samples") == 0
    assert run("without.json") == 0
    result = reader.read_result(tmp_path / "with.json")
    kept = read(tmp_path / "with.samples.json.xz")["processes"]
    assert isinstance(kept, list) and len(kept) == result.context.processes
    assert len(kept[0][NAME]["clean"]) > 0
    assert not (tmp_path / "without.samples.json.xz").exists()
    # Neither file is written over.
    (tmp_path / "with.json").unlink()
    assert run("with.json", "--keep-samples") == 2
    assert not (tmp_path / "with.json").exists()
