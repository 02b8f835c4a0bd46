# SPDX-License-Identifier: GPL-2.0-only
"""What a result may be at most, each bound with a clear error; and that odd and hostile files take
no more memory and time than that.

IRQCOST_FUZZ says how many files the fuzzer makes; the default is for a test's run.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import machine_code
from irqcost import ROOT
from irqcost.base.errors import ResultError
from irqcost.model import members, reader
from irqcost.model.machine_code import recorded
from results import changed, document, path

_SCHEMA = json.loads((ROOT / "docs" / "result.schema.json").read_text(encoding="utf-8"))
_LONG = "x" * (members.MOST_LETTERS + 1)
_NAME = "n" * members.MOST_LETTERS_OF_A_NAME


def _figures(count: int) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        first = content["benchmarks"][0]
        named = [f"ring3/p{i}/isolated" for i in range(count)]
        content["benchmarks"] = [dict(first, name=one, run_name=one) for one in named]

    return change


def _ours(**values: Any) -> Callable[[Any], None]:
    return lambda content: content["context"]["irqcost"].update(values)


def _function(count: int, size: int, probes: int = 1) -> Callable[[Any], None]:
    functions = [machine_code.function(f"f{i}", "90" * size) for i in range(count)]
    named = {f"ring3/p{i}": list(range(count)) for i in range(probes)}
    return _ours(machine_code={"functions": functions, "probes": named})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_ours(version=_LONG), "version has 4097 letters; no result has more than 4096"),
        (_ours(command=[_LONG]), "command has 4097 letters"),
        (_ours(command=["x"] * 10_001), "command has 10001 items; no result has more than 10000"),
        (_ours(code={_NAME + "x": "nop"}), "code has 201 letters in a key"),
        (_ours(code={"a\x1b[2J": "nop"}), "code has the key a\ufffd.2J, which is no name"),
        (_ours(code={"::error::": "nop"}), "which is no name"),
        (_figures(10_001), "benchmarks has 10001 items"),
        (
            lambda c: c["benchmarks"][0].update(run_name=f"ring3/{_NAME}/isolated"),
            "run_name has 215 letters; no result has more than 200",
        ),
        (
            lambda c: c["benchmarks"][0].update(run_name="ring3/<b>/isolated"),
            "run_name is 'ring3/<b>/isolated', which is no name of a figure",
        ),
        (
            _function(1, recorded.MOST_CODE + 1),
            "code has 16385 bytes; no result has more than 16384",
        ),
        (_function(1, recorded.MOST_CODE + 3), "code has 21852 letters of base64"),
        (_function(100, 10_000, 5), "machine_code is 5000000 bytes by probe"),
    ],
)
def test_what_is_beyond_a_bound(change: Callable[[Any], None], reason: str, tmp_path: Path) -> None:
    beyond = changed("alpha", tmp_path / "x.json", change)
    with pytest.raises(ResultError, match=reason) as raised:
        reader.read_result(beyond)
    assert len(str(raised.value)) < 1000
    # The schema counts no bytes, and leaves to the reader what a name may hold.
    if "bytes" not in reason and "which is no name" not in reason:
        content = json.loads(beyond.read_text(encoding="utf-8"))
        assert not jsonschema.Draft202012Validator(_SCHEMA).is_valid(content)


def test_the_schema_has_the_bounds_of_the_reader() -> None:
    bounded, code = _SCHEMA["$defs"]["bounded"], _SCHEMA["$defs"]["bounded_code"]
    assert bounded["maxLength"] == members.MOST_LETTERS
    assert bounded["maxItems"] == bounded["maxProperties"] == members.MOST_ITEMS
    assert bounded["propertyNames"]["maxLength"] == members.MOST_LETTERS_OF_A_NAME
    assert code["maxLength"] == -(-recorded.MOST_CODE // 3) * 4


def test_what_is_within_the_bounds_is_read(tmp_path: Path) -> None:
    def change(content: Any) -> None:
        _figures(1000)(content)
        ours = content["context"]["irqcost"]
        ours["version"] = _LONG[1:]
        ours["code"] = {_NAME: "nop"}
        ours["machine_code"] = machine_code.of(
            "ring3/popf", machine_code.function("f", "90" * 16384)
        )

    read = reader.read_result(changed("alpha", tmp_path / "x.json", change))
    assert len(read.figures) == 1000


def test_the_size_of_a_file_unless_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = tmp_path / "x.json"
    large.write_text(path("alpha").read_text() + " " * (17 << 20))
    with pytest.raises(
        ResultError, match="no result is larger than 16777216 bytes .*MAX_RESULT_MIB"
    ):
        reader.read_result(large)
    monkeypatch.setenv("IRQCOST_MAX_RESULT_MIB", "20")
    assert reader.read_result(large).figures
    # What grows while it is read, such as a file of /proc, has no size before.
    with pytest.raises(ResultError, match="no result is larger|not JSON|empty"):
        reader.read_result(Path("/proc/kallsyms"))


def test_many_lists_are_no_result(tmp_path: Path) -> None:
    """16 MiB of them would be a gigabyte."""
    (tmp_path / "x.json").write_text("[" + "[]," * 1_000_000 + "[]]")
    with pytest.raises(ResultError, match="1000002 lists and objects: no result has so many"):
        reader.read_result(tmp_path / "x.json")


# The fuzzer: in a process of its own, whose memory and time are limited.

_PEAK_MIB = 700
_CPU_SECONDS = 300


def test_no_file_takes_memory_time_or_a_traceback(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}/scripts:{ROOT}/scripts/tests"}
    done = subprocess.run(
        [sys.executable, __file__, str(tmp_path), os.environ.get("IRQCOST_FUZZ", "30")],
        env=environment | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert int(done.stdout.split()[-1]) < _PEAK_MIB


def _text(chance: random.Random) -> Any:
    return chance.choice(["x", "é", "\x1b", "😀", "::"]) * chance.choice([5, 300, 5000, 3_000_000])


def _pile(chance: random.Random) -> Any:
    """Much of one thing."""
    count = chance.choice([3, 20_000, 400_000])
    return chance.choice(
        [
            lambda: [chance.choice([0, 1.5, -1, None, True])] * count,
            lambda: {f"k{i}": i for i in range(count)},
            lambda: [[]] * count,
            lambda: ["ab"] * count,
            lambda: 10 ** chance.choice([2, 30, 300]),
            lambda: chance.choice([-1e30, 1e31, 0.0, "", {}, []]),
        ]
    )()


def _mutated(chance: random.Random) -> bytes:
    """A golden file with some values, keys or bytes changed, or much of it repeated."""
    content = document(chance.choice(["alpha", "exact", "pvm"]))
    for _ in range(chance.choice([0, 1, 1, 1, 3])):
        place = content
        while True:
            keys = list(place if isinstance(place, dict) else range(len(place)))
            key = chance.choice(keys)
            inner = place[key]
            if not isinstance(inner, (dict, list)) or not inner or chance.random() < 0.2:
                break
            place = inner
        if isinstance(place, dict) and chance.random() < 0.2:
            place[_text(chance)] = place.pop(key)
        else:
            place[key] = chance.choice([_text, _pile])(chance)
    if chance.random() < 0.2 and len(content.get("benchmarks", ())) > 1:
        content["benchmarks"] *= chance.choice([50, 200])
        for i, one in enumerate(content["benchmarks"]):
            content["benchmarks"][i] = {**one, "name": f"{i}"} if isinstance(one, dict) else one
    text = bytearray(json.dumps(content).encode("utf-8", "surrogatepass"))
    for _ in range(chance.choice([0, 0, 1, 5])):
        text[chance.randrange(len(text))] = chance.randrange(256)
    return bytes(text[: chance.randrange(len(text))] if chance.random() < 0.05 else text)


def _fuzz(folder: Path, count: int) -> None:
    import contextlib
    import io
    import resource

    from irqcost import cli

    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    for seed in range(count):
        file = folder / "fuzzed.json"
        file.write_bytes(_mutated(random.Random(seed)))
        for arguments in (
            ["compare", str(file), "--no-chart"],
            ["check", str(file), "--baseline", str(path("alpha"))],
        ):
            print(seed, arguments[0], file.stat().st_size, flush=True)
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(
                io.StringIO()
            ):
                assert cli.main(arguments) in (0, 1, 2, 3)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)


if __name__ == "__main__":
    _fuzz(Path(sys.argv[1]), int(sys.argv[2]))
