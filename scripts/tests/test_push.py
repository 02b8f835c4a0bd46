# SPDX-License-Identifier: GPL-2.0-only
"""Records pushed to a folder, a server and rsync; pushed again, and after what went wrong."""

import http.server
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from irqcost import ROOT, cli
from irqcost.model.records import reading, slim
from results import committed, path

_RESULT = committed("amd-epyc-1a-02-01/*.json")[0]
_UNITS = sorted((ROOT / "packaging" / "systemd").iterdir())
_SECRET = "Bearer s3cr3t"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder and a home of its own."""
    for name in ("STATE_DIRECTORY", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "irqcost"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder with a result."""
    folder = tmp_path / "results"
    folder.mkdir()
    shutil.copy(_RESULT, folder / "a.json")
    return folder


def push(*arguments: object, code: int = 0) -> None:
    assert cli.main(["push", "--name", "host", *map(str, arguments)]) == code


def found(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())


def test_a_folder_gets_a_record_once(
    tmp_path: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "target"
    target.mkdir()
    push(target, results)
    (name,) = found(target)
    assert re.fullmatch(r"2026-11-30/host-[0-9a-f]{32}\.json", name)
    (record,) = reading.every([target])
    assert isinstance(record, slim.Slim) and record.name == name and len(record.figures) == 68
    before = (target / name).stat().st_mtime_ns
    push(target, results)
    assert capsys.readouterr().out.endswith("0 records of machine host pushed, 1 pushed before\n")
    push("--again", target, results)
    assert found(target) == [name] and (target / name).stat().st_mtime_ns == before


def test_what_is_damaged_there_is_mended(tmp_path: Path, results: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    push(target, results)
    (name,) = found(target)
    content = (target / name).read_bytes()
    (target / name).write_bytes(content[:100])
    push("--again", target, results)
    assert (target / name).read_bytes() == content


def test_another_target_or_name_is_pushed_to_as_well(tmp_path: Path, results: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        push(tmp_path / name, results)
    assert cli.main(["push", "--name", "other", str(tmp_path / "two"), str(results)]) == 0
    assert [len(found(tmp_path / name)) for name in ("one", "two")] == [1, 2]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("{tmp}/nosuch", "no such folder"),
        ("", "empty"),
        ("ftp://host/x", "neither a folder"),
        ("https://user:pass@host/x", "--credentials"),
        ("https:///x", "not an address"),
        ("host::records", "no such folder"),
        ("https://host/x?key=1", "not an address"),
    ],
)
def test_targets_that_are_none(
    target: str, said: str, tmp_path: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    push(target.format(tmp=tmp_path), results, code=2)
    err = capsys.readouterr().err
    assert said in err and "pass@" not in err and not (tmp_path / "nosuch").exists()


def test_what_makes_no_record_is_named(
    tmp_path: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "target").mkdir()
    shutil.copy(path("alpha"), results / "harness.json")
    document = json.loads(_RESULT.read_text("utf-8"))
    document["context"]["date"] = "today"
    (results / "date.json").write_text(json.dumps(document))
    push(tmp_path / "target", results, code=2)
    said = capsys.readouterr()
    assert "harness.json: one process of the harness alone" in said.err
    assert "date.json: date 'today' is not one of ISO 8601" in said.err
    assert len(found(tmp_path / "target")) == 1


@pytest.mark.parametrize("name", ["", "../x", "a b", "a/b", "-x", "x" * 101])
def test_names_that_are_none(name: str, tmp_path: Path, results: Path) -> None:
    assert cli.main(["push", f"--name={name}", str(tmp_path), str(results)]) == 2
    assert found(tmp_path / "results") == ["a.json"]


class Collector(http.server.ThreadingHTTPServer):
    """A server that takes PUT, and can be told to answer something else for a while."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.folders: set[str] = set()
        self.asked: list[tuple[str, str, str | None]] = []
        self.answers: list[int] = []
        self.wants_folders = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/records"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Collector

    def _answer(self, code: int, **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(("PUT", self.path, self.headers.get("Authorization")))
        if self.server.answers:
            code = self.server.answers.pop(0)
            self._answer(code, **({"Location": "/elsewhere"} if code // 100 == 3 else {}))
        elif self.server.wants_folders and self.path.rpartition("/")[0] not in self.server.folders:
            self._answer(409)
        else:
            known = self.path in self.server.files
            self.server.files[self.path] = content
            self._answer(204 if known else 201)

    def do_MKCOL(self) -> None:
        self.server.asked.append(("MKCOL", self.path, self.headers.get("Authorization")))
        self.server.folders.add(self.path.rstrip("/"))
        self._answer(201)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Collector]:
    with Collector() as one:
        thread = threading.Thread(target=one.serve_forever, args=(0.01,))
        thread.start()
        yield one
        one.shutdown()
        thread.join()


def test_a_server_gets_a_record_once(server: Collector, results: Path) -> None:
    push(server.url, results)
    push(server.url, results)
    ((name, content),) = server.files.items()
    assert name == f"/records/{slim.loads(content).name}" and len(server.asked) == 1
    push("--again", server.url, results)
    assert server.files == {name: content} and len(server.asked) == 2


def test_what_fails_is_tried_again_the_next_time(
    server: Collector, results: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(committed("intel-xeon-06-cf-02/*.json")[0], results / "b.json")
    server.answers = [201, 503]
    push(server.url, results, code=1)
    assert "the server answered 503" in capsys.readouterr().err
    assert len(server.files) == 0 and len(server.asked) == 2
    push(server.url, results)
    # The first had arrived, as far as its sender knows.
    assert len(server.asked) == 3 and len(server.files) == 1
    assert server.url not in (state / "pushed").read_text("ascii")


def test_a_server_that_is_not_there_is_no_loss(results: Path, server: Collector) -> None:
    push("http://127.0.0.1:1/x", results, code=1)
    push(server.url, results)
    assert len(server.files) == 1


def test_a_ledger_that_was_cut_short_costs_a_push(
    server: Collector, results: Path, state: Path
) -> None:
    push(server.url, results)
    text = (state / "pushed").read_text("ascii")
    (state / "pushed").write_text(text[:20])
    push(server.url, results)
    push(server.url, results)
    assert len(server.asked) == 2 and len(server.files) == 1


def test_webdav_has_the_folder_of_the_day_made(server: Collector, results: Path) -> None:
    server.wants_folders = True
    push(server.url, results)
    assert [one[0] for one in server.asked] == ["PUT", "MKCOL", "PUT"] and len(server.files) == 1


def test_credentials_come_from_a_file_and_go_nowhere_else(
    server: Collector, results: Path, tmp_path: Path, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"Authorization: {_SECRET}\n")
    secret.chmod(0o644)
    push("--credentials", secret, server.url, results, code=2)
    assert "others may read it" in capfd.readouterr().err and not server.asked
    secret.chmod(0o600)
    push("--credentials", secret, server.url, results)
    assert [one[2] for one in server.asked] == [_SECRET]
    server.answers = [307]
    push("--again", "--credentials", secret, server.url, results, code=1)
    assert "307" in capfd.readouterr().err and server.asked[-1][1] != "/elsewhere"
    push("--again", "--credentials", secret, "http://host.invalid/x", results, code=2)
    secret.write_text(f"{_SECRET}\n")
    push("--again", "--credentials", secret, server.url, results, code=2)
    said = capfd.readouterr()
    assert "https only" in said.err and "line 1 is not a header" in said.err
    kept = said.out + said.err + (state / "pushed").read_text() + str(server.files)
    assert "s3cr3t" not in kept


def test_credentials_of_a_service(
    server: Collector, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "irqcost-push").write_text("\n")  # As the unit has it where there is none.
    push(server.url, results)
    (tmp_path / "irqcost-push").write_text(f"Authorization: {_SECRET}\n")
    push("--again", server.url, results)
    assert [one[2] for one in server.asked] == [None, _SECRET]


def test_a_service_keeps_its_ledger_in_its_own_folder(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "target").mkdir()
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path / 'service'}:/other")
    push(tmp_path / "target", results)
    assert found(tmp_path / "service") == ["pushed"]


_RSYNC = """#!/bin/sh
printf '%s\\n' "$@" > "$OUT/arguments"
for last; do :; done
[ ! -e "$OUT/fails" ] || { echo 'no route to host' >&2; exit 10; }
for from; do [ -d "$from" ] && break; done
cp -r "$from." "$OUT/there"
"""


@pytest.fixture
def rsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for rsync, which copies to a folder `there`, beside what it was asked."""
    out = tmp_path / "out"
    (out / "there").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "rsync").write_text(_RSYNC)
    (tmp_path / "bin" / "rsync").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("OUT", str(out))
    return out


@pytest.mark.parametrize("target", ["host:records", "me@host:/srv", "rsync://host/records", "h2:"])
def test_rsync_is_asked_once_for_all(target: str, rsync: Path, results: Path) -> None:
    shutil.copy(committed("intel-xeon-06-cf-02/*.json")[0], results / "b.json")
    (rsync / "fails").touch()
    push(target, results, code=1)
    (rsync / "fails").unlink()
    push(target, results)
    push(target, results)
    asked = (rsync / "arguments").read_text().split("\n")
    assert asked[-4] == "--" and asked[-2] == target + ("" if target.endswith(":") else "/")
    names = found(rsync / "there")
    assert len(names) == 2
    assert all(slim.loads((rsync / "there" / one).read_bytes()).name == one for one in names)
    assert not any("password" in one for one in asked)


def test_rsync_itself(tmp_path: Path, results: Path) -> None:
    """A daemon over a pipe, as rsync's own tests use it: no port is opened."""
    program = shutil.which("rsync")
    if not program:
        pytest.skip("rsync is not installed")
    (tmp_path / "there").mkdir()
    config = tmp_path / "rsyncd.conf"
    own = f"uid = {os.getuid()}\ngid = {os.getgid()}\nuse chroot = no\nread only = no\n"
    config.write_text(f"{own}[records]\npath = {tmp_path / 'there'}\n")
    environment = {**os.environ, "RSYNC_CONNECT_PROG": f"{program} --config={config} --daemon"}
    command = [str(ROOT / "irqcost"), "--no-install", "push", "--name=host"]
    for _ in range(2):
        more = ["--again", "rsync://localhost/records", str(results)]
        subprocess.run([*command, *more], env=environment, check=True)
    (name,) = found(tmp_path / "there")
    assert slim.loads((tmp_path / "there" / name).read_bytes()).name == name


@pytest.mark.parametrize("unit", _UNITS, ids=lambda one: one.name)
def test_units_have_no_fault(unit: Path, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    for one in _UNITS:
        # The command is not installed here.
        text = one.read_text("utf-8").replace("ExecStart=irqcost", "ExecStart=/bin/true")
        (tmp_path / one.name).write_text(text)
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)]
    done = subprocess.run(command, capture_output=True, text=True)
    # It says of units of the system, too, what it finds.
    faults = [line for line in done.stderr.splitlines() if "irqcost" in line]
    assert (done.returncode, faults) == (0, [])


def test_units_ask_for_commands_that_there_are() -> None:
    starts = [
        line.partition("=")[2].split()
        for unit in _UNITS
        for line in unit.read_text("utf-8").splitlines()
        if line.startswith("ExecStart=")
    ]
    assert sorted(one[1] for one in starts) == ["push", "run"]
    for one in starts:
        words = [word for word in one[1:] if not word.startswith("$IRQ")]
        args = cli.parser(one[1]).parse_args(words)
        assert args.run
    timer = (ROOT / "packaging/systemd/irqcost-measure.timer").read_text("utf-8")
    assert "RandomizedDelaySec=" in timer and "Persistent=true" in timer
    assert not any(
        "[Install]" in one.read_text("utf-8") for one in _UNITS if one.suffix != ".timer"
    )
