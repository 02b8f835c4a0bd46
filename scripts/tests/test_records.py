# SPDX-License-Identifier: GPL-2.0-only
"""Slim records: their size, their name, what is refused of hostile ones, and the export."""

import csv
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from irqcost import ROOT, cli
from irqcost.base.errors import IrqcostError, ResultError
from irqcost.machine import identity, private
from irqcost.model import store
from irqcost.model.members import FormatError
from irqcost.model.records import reading, slim
from irqcost.model.records.slim import Slim
from irqcost.output.export.rows import COLUMNS
from results import committed, path

_RESULTS = [one for one in committed("*/*.json") if store.read([one]).records]


def record(name: str = "alpha", machine: str = "one") -> Slim:
    return slim.of(store.read([path(name)]).records[0], machine)


def written(folder: Path, count: int) -> Path:
    """A file of so many records, each of its own machine."""
    target = folder / "many.ndjson"
    with target.open("wb") as file:
        for number in range(count):
            file.write(slim.dumps(record(machine=f"m{number:06}")))
    return target


@pytest.mark.parametrize("result", _RESULTS, ids=lambda one: one.name)
def test_a_record_of_each_result_is_small_and_whole(result: Path) -> None:
    whole = slim.of(store.read([result]).records[0], "machine")
    bounded = slim.bounded(whole)
    line = slim.dumps(bounded)
    assert len(line) <= 10_000 and line.count(b"\n") == 1
    assert not bounded.left_out and bounded.figures.keys() == whole.figures.keys()
    assert slim.loads(line) == bounded
    assert private.found(json.loads(line), private.names()) == []


def test_there_are_results_to_try() -> None:
    assert len(_RESULTS) >= 9


def test_a_record_says_what_the_result_says() -> None:
    (result,) = store.read([_RESULTS[0]]).records
    found = slim.loads(slim.dumps(slim.of(result, "m")))
    was, now = result.context, found.context
    assert (now.cpu, now.execution) == (replace(was.cpu, measured=None), was.execution)
    assert (now.kernel.release, now.kernel.preemption) == (
        was.kernel.release,
        was.kernel.preemption,
    )
    assert (now.masking.kind, now.kernel_hypervisor) == (was.masking.kind, was.kernel_hypervisor)
    assert (found.date, found.verdict) == (result.date, result.verdict)
    for place, name in enumerate(result.names):
        figure = found.figures[name]
        assert figure.value == pytest.approx(result.column("core_cycles")[place], rel=1e-5)
        assert figure.low == pytest.approx(result.column("core_cycles_low")[place], rel=1e-5)
        assert (figure.verdict, figure.unit) == (result.verdicts[place], "core_cycles")


def test_what_has_no_room_is_said() -> None:
    whole = record()
    one = next(iter(whole.figures.values()))
    figures = {
        f"kmod/probe_of_long_name_{n}/{mode}": one._replace(value=1 / (n + 3), low=0.0, high=1.0)
        for n in range(60)
        for mode in ("throughput", "isolated", "in_situ/0", "in_situ/500")
    }
    bounded = slim.bounded(replace(whole, figures=figures))
    assert bounded.left_out == {"kmod/in_situ/500": 60}
    assert len(bounded.figures) == 180 and len(slim.dumps(bounded)) <= slim.MOST_BYTES
    assert slim.loads(slim.dumps(bounded)).left_out == bounded.left_out
    many = {f"kmod/probe_of_long_name_{n}/throughput": one for n in range(600)}
    with pytest.raises(IrqcostError, match="larger than 10000 bytes"):
        slim.bounded(replace(whole, figures=many))


def test_the_same_result_has_one_name_and_another_has_another() -> None:
    assert record().name == record().name
    assert re.fullmatch(r"2026-11-22/one-[0-9a-f]{32}\.json", record().name)
    others = {record().name, record(machine="two").name, record("beta").name}
    assert len(others) == 3


def test_a_machine_is_named_without_its_id(tmp_path: Path) -> None:
    file = tmp_path / "machine-id"
    file.write_text("0123456789abcdef0123456789abcdef\n")
    name = identity.machine(file)
    assert re.fullmatch("[0-9a-f]{16}", name) and name not in file.read_text()
    assert name == identity.machine(file)
    file.write_text("f123456789abcdef0123456789abcdef\n")
    assert identity.machine(file) != name
    file.write_text("uninitialized\n")
    with pytest.raises(IrqcostError, match="--name"):
        identity.machine(file)


def _change(key: str, value: Any) -> Any:
    def change(document: Any) -> None:
        *inner, last = key.split(".")
        for one in inner:
            document = document[one]
        if value is KeyError:
            del document[last]
        else:
            document[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_change("irqcost_record", 2), "format 2"),
        (_change("machine", "../../etc"), "machine"),
        (_change("machine", "a" * 101), "machine"),
        (_change("machine", ""), "machine"),
        (_change("date", "yesterday"), "date"),
        (_change("context", []), "context"),
        (_change("context.cpu", KeyError), "cpu is missing"),
        (_change("context.execution.kind", "good"), "execution.kind"),
        (_change("context.masking", "x"), "masking"),
        (_change("context.kernel.release", 7), "release"),
        (_change("usual.verdict", "fine"), "verdict"),
        (_change("usual.unit", "seconds"), "unit"),
        (_change("figures.ring3.popf", 1), "popf is not an object"),
        (_change("figures.ring3", {"a b": {"throughput": [1]}}), "no name"),
        (_change("figures.ring3", {"\x1b[2J": {"throughput": [1]}}), "no name"),
        (_change("figures.ring3.popf", {"throughput": []}), "no list"),
        (_change("figures.ring3.popf", {"throughput": [1, 2]}), "no value"),
        (_change("figures.ring3.popf", {"throughput": [True]}), "no finite"),
        (_change("figures.ring3.popf", {"throughput": ["1"]}), "no finite"),
        (_change("figures.ring3.popf", {"throughput": [1e31]}), "no finite"),
        (_change("figures.ring3.popf", {"throughput": [1, 2, 3]}), "interval"),
        (_change("figures.ring3.popf", {"throughput": [1, {"verdict": "x"}]}), "verdict"),
    ],
)
def test_what_is_no_record_is_refused(change: Any, said: str) -> None:
    document = json.loads(slim.dumps(record()))
    change(document)
    with pytest.raises(FormatError, match=re.escape(said)):
        slim.loads(json.dumps(document).encode())


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"\xff", b"[" * 9000, b"NaN", b'{"irqcost_record":1}', b"1" * 9999]
    + [b'{"irqcost_record":1,' + b" " * 10_000 + b"}"],
)
def test_hostile_lines_are_refused(line: bytes) -> None:
    with pytest.raises(FormatError):
        slim.loads(line)


def test_no_number_is_not_a_number() -> None:
    line = slim.dumps(record()).replace(b'"throughput":[13]', b'"throughput":[NaN]')
    with pytest.raises(FormatError, match="no finite"):
        slim.loads(line)


def test_one_bad_line_costs_no_other(tmp_path: Path) -> None:
    good = [slim.dumps(record(machine=f"m{n}")) for n in range(3)]
    lines = [good[0], b"nonsense\n", b"x" * 50_000 + b"\n", good[1], b"\n", good[2].rstrip()]
    (tmp_path / "a.ndjson").write_bytes(b"".join(lines))
    found = list(reading.every([tmp_path]))
    assert [one.machine for one in found if isinstance(one, Slim)] == ["m0", "m1", "m2"]
    errors = [str(one) for one in found if isinstance(one, ResultError)]
    assert len(errors) == 2 and all("a.ndjson: at byte " in one for one in errors)


def test_a_million_bad_lines_are_a_short_message(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(b"x\n" * 100_000)
    errors = list(reading.every([tmp_path]))
    assert len(errors) == 21 and "99980 more lines" in str(errors[-1])


def test_each_line_is_read_once_however_a_file_is_parted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, 7)
    size = len(slim.dumps(record(machine="m000000")))
    for part in (1, size - 1, size, size + 1, 2 * size, 100 * size):
        monkeypatch.setattr(reading, "PART_BYTES", part if part > 1 else 97)
        names = [one.machine for one in reading.every([tmp_path]) if isinstance(one, Slim)]
        assert names == [f"m{n:06}" for n in range(7)]


def test_a_pipe_or_a_half_written_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    os.mkfifo(tmp_path / "pipe.ndjson")
    (tmp_path / ".half.json").write_text("{")
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    found = list(reading.every([tmp_path]))
    assert all("not a regular file" in str(one) for one in found) and len(found) == 2
    # What becomes one after its size was seen.
    for name in ("pipe.json", "zero.json"):
        (error,) = reading.read(reading.Part((tmp_path / name,), 0, 1))
        assert "not a regular file" in str(error)


# Exports


def export(capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0) -> str:
    assert cli.main(["export", *map(str, arguments)]) == code
    return capsys.readouterr().out


def test_formats_have_the_same_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, 2)
    lines = export(capsys, "--ndjson", tmp_path).splitlines()
    first = [json.loads(line) for line in lines]
    second = list(csv.DictReader(io.StringIO(export(capsys, "--csv", tmp_path))))
    assert len(first) == len(second) == 48
    assert all(list(row) == list(COLUMNS) for row in first)
    for one, two in zip(first, second):
        assert {key: "" if v is None else str(v) for key, v in one.items()} == two
    popf = [row for row in first if row["probe"] == "popf" and row["mode"] == "throughput"]
    assert [row["value"] for row in popf] == [13, 13]
    assert [row["machine"] for row in popf] == ["m000000", "m000001"]
    assert len({row["record"] for row in first}) == 2


def test_a_result_and_its_record_have_the_same_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.json").write_bytes(slim.dumps(record("alpha", "m")))
    rows = []
    for place in (path("alpha"), tmp_path):
        lines = export(capsys, "--ndjson", place).splitlines()
        rows.append([{**json.loads(line), "machine": "", "record": ""} for line in lines])
    by_name = [sorted(one, key=lambda row: (row["probe"], row["mode"])) for one in rows]
    assert by_name[0] == by_name[1] and by_name[0]


def test_select_and_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.csv"
    export(capsys, "--csv", path("alpha"), "--select", "popf/throughput", "-o", target)
    assert target.read_text().count("\n") == 4  # pushf_popf, pushf_pop_push_popf, popf
    export(capsys, "--csv", path("alpha"), "-o", target, code=2)
    assert target.read_text().count("\n") == 4


def test_a_bad_file_is_named_and_the_rest_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, 1)
    (tmp_path / "bad.json").write_text("{")
    assert cli.main(["export", "--csv", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.out.count("\n") == 25 and "bad.json: truncated" in said.err


def test_packing_keeps_each_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, 3)
    assert export(capsys, "--records", tmp_path).encode() == file.read_bytes()
    export(capsys, "--records", path("alpha"), code=2)


def test_memory_does_not_grow_with_the_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    most = {}
    for count in (20, 400):
        (tmp_path / str(count)).mkdir()
        written(tmp_path / str(count), count)
        arguments = ["export", "--csv", str(tmp_path / str(count)), "-o"]
        assert cli.main([*arguments, str(tmp_path / f"warm-{count}")]) == 0
        tracemalloc.start()
        assert cli.main([*arguments, str(tmp_path / f"{count}.csv")]) == 0
        most[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    # 380 records more, which are 470 kB as lines and more as objects.
    assert most[400] - most[20] < 200_000


_SQL = re.compile(r"```sql\n(.*?)```", re.DOTALL)


def test_the_sql_of_the_documentation_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    statements = _SQL.findall((ROOT / "docs" / "FLEET.md").read_text("utf-8"))
    assert len(statements) >= 3
    written(tmp_path, 4)
    rows = [json.loads(line) for line in export(capsys, "--ndjson", tmp_path).splitlines()]
    database = sqlite3.connect(":memory:")
    database.execute(f"CREATE TABLE figures ({', '.join(COLUMNS)})")
    marks = ", ".join("?" * len(COLUMNS))
    database.executemany(
        f"INSERT INTO figures VALUES ({marks})", [tuple(row.values()) for row in rows]
    )
    for statement in statements:
        found = database.execute(statement)
        assert found.description
        assert all(one[0] for one in found.description)


_SERIES = re.compile(r'([a-z_]+)\{((?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)+)\} ([-+0-9.e]+)')


def test_prometheus_has_the_latest_of_each_machine_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = record(), replace(record(), date="2026-11-23T17:00:00+00:00", verdict="x")
    popf = new.figures["ring3/popf/throughput"]._replace(value=99.0)
    new = replace(new, figures={**new.figures, "ring3/popf/throughput": popf})
    context = json.loads(old.document)
    context["cpu"]["brand"] = 'a "quoted" \\ CPU'
    other = replace(old, machine="two", document=json.dumps(context))
    lines = [slim.dumps(one) for one in (new, old, other)]
    (tmp_path / "a.ndjson").write_bytes(b"".join(lines))
    target = tmp_path / "irqcost.prom"
    for _ in range(2):  # The second replaces the first.
        export(capsys, "--prometheus", tmp_path, "-o", target)
    seen: list[tuple[str, str]] = []
    metrics: list[str] = []
    for line in target.read_text("utf-8").splitlines():
        if line.startswith("#"):
            metrics.append(line.split()[2])
            continue
        match = _SERIES.fullmatch(line)
        assert match, line
        assert match[1] == metrics[-1]
        seen.append((match[1], match[2]))
        if match[1] == "irqcost_core_cycles" and 'probe="popf",mode="throughput"' in match[2]:
            assert float(match[3]) == (99 if 'machine="one"' in match[2] else 13)
    assert len(seen) == len(set(seen)) == 2 + 2 + 48
    assert metrics == [name for name in metrics[::2] for _ in range(2)]
    assert 'brand="a \\"quoted\\" \\\\ CPU"' in target.read_text("utf-8")


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['pyarrow'] = None\nfrom irqcost import cli\n"
    code += f"sys.exit(cli.main(['export', '--parquet', {str(path('alpha'))!r}, '-o', 'x']))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 2 and list(tmp_path.iterdir()) == []
    assert done.stderr.startswith("irqcost: --parquet needs pyarrow: install ")


def test_parquet_with_a_stand_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked of pyarrow, where there is none to ask: the calls of its documentation."""
    tables: list[dict[str, list[Any]]] = []

    class Writer:
        def __init__(self, file: Any, schema: Any) -> None:
            self.file = file

        def __enter__(self) -> "Writer":
            return self

        def __exit__(self, *_: object) -> None:
            self.file.write(b"PAR1")

        def write_table(self, table: dict[str, list[Any]]) -> None:
            tables.append(table)

    pyarrow = ModuleType("pyarrow")
    kinds = {f"{name}": lambda name=name: name for name in ("string", "int64", "float64", "bool_")}
    vars(pyarrow).update(kinds, schema=list, table=lambda columns, schema: columns)
    parquet = ModuleType("pyarrow.parquet")
    vars(parquet)["ParquetWriter"] = Writer
    vars(pyarrow)["parquet"] = parquet
    monkeypatch.setitem(sys.modules, "pyarrow", pyarrow)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", parquet)
    export(capsys, "--parquet", path("alpha"), "-o", tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == b"PAR1"
    (table,) = tables
    assert list(table) == list(COLUMNS) and {len(one) for one in table.values()} == {24}


def test_parquet_is_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    export(capsys, "--parquet", path("alpha"), "-o", tmp_path / "a.parquet")
    rows = parquet.read_table(tmp_path / "a.parquet").to_pylist()
    lines = export(capsys, "--ndjson", path("alpha")).splitlines()
    assert rows == [json.loads(line) for line in lines]
