# SPDX-License-Identifier: GPL-2.0-only
"""action.yml and the workflows in docs/CI.md: well-formed, pinned, and the script at work."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from irqcost import ROOT, cli
from irqcost.compare import policy

yaml = pytest.importorskip("yaml")

_DOCUMENT = (ROOT / "docs" / "CI.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", _DOCUMENT, re.M | re.S)


def action() -> Any:
    return yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


def workflow(text: str) -> Any:
    # YAML 1.1 takes the key `on` for true, as PyYAML does; GitHub does not.
    return {("on" if key is True else key): value for key, value in yaml.safe_load(text).items()}


def faults(document: Any, name: str) -> list[str]:
    schema = Path(__file__).with_name("schemas") / f"{name}.schema.json"
    validator = jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))
    validator.check_schema(validator.schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


@pytest.mark.parametrize("text", blocks("yaml"))
def test_a_workflow_is_one(text: str) -> None:
    content = workflow(text)
    assert faults(content, "github_workflow") == []
    # Ours have these besides: least rights, and never two on one machine.
    assert {"name", "on", "permissions", "concurrency", "jobs"} == set(content)
    for job in content["jobs"].values():
        assert job["runs-on"][0] == "self-hosted" and job["timeout-minutes"] > 0
        steps = job["steps"]
        names = [step["name"] for step in steps]
        assert names.index("Tune the machine") < names.index("Measure and check")
        restore = steps[names.index("Restore the machine")]
        assert restore["if"] == "always()" and restore["run"].endswith("tune --restore")
        for step in steps:
            assert ("uses" in step) != ("run" in step)
            if step.get("uses", "./").startswith("./"):
                continue
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"])  # pinned
        given = next(step["with"] for step in steps if step.get("uses") == "./irqcost")
        assert set(given) <= set(action()["inputs"])
        # What is passed on is what the command knows.
        cli.parser().parse_args(["check", "--run", *given["arguments"].split()])


def test_there_are_both_workflows() -> None:
    found = [workflow(text)["on"] for text in blocks("yaml")]
    assert ["push" in one for one in found] == [True, False] and "schedule" in found[1]


def test_the_first_workflow_has_every_step_in_order() -> None:
    steps = workflow(blocks("yaml")[0])["jobs"]["check"]["steps"]
    assert [step["name"] for step in steps] == [
        "Get irqcost",
        "Set up and build",
        "Tune the machine",
        "Measure and check",
        "Restore the machine",
        "Upload",
    ]
    # What fails or is cancelled between the two, the machine is put back; uploading comes last, as
    # it may take its time.
    assert "if" not in steps[3] and steps[4]["if"] == "always()"


_GOOD = """
name: x
on: {push: {}}
permissions: {contents: read}
jobs:
  a:
    runs-on: [self-hosted]
    steps:
      - run: "true"
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("push: {}", "pusch: {}"),
        ("push: {}", "schedule: [{cron: '17 3 * *'}]"),
        ("contents: read", "contents: all"),
        ("contents: read", "content: read"),
        ("runs-on", "run-on"),
        ("  a:", "  a b:"),
        ('- run: "true"', '- {run: "true", uses: ./x}'),
        ('- run: "true"', '- {run: "true", with: {a: b}}'),
        ('- run: "true"', "- {uses: actions/checkout}"),
        ('- run: "true"', "- {name: nothing}"),
        ("steps:", "timeout-minutes: ten\n    steps:"),
    ],
)
def test_the_schema_of_workflows_refuses_what_is_none(before: str, after: str) -> None:
    assert faults(workflow(_GOOD), "github_workflow") == []
    assert before in _GOOD
    assert faults(workflow(_GOOD.replace(before, after)), "github_workflow")


def test_the_configuration_shown_is_one(tmp_path: Path) -> None:
    (text,) = blocks("toml")
    path = tmp_path / "check.toml"
    path.write_text(text, encoding="utf-8")
    found = policy.read(path)
    assert found.same == ("cpu", "microcode", "kernel") and found.ignores("ring3/x/in_situ/500")


def test_the_commands_shown_are_known() -> None:
    for line in re.findall(r"^    \./irqcost (.*)$", _DOCUMENT, re.M):
        cli.parser().parse_args(line.split())


def test_action_metadata() -> None:
    content = action()
    assert faults(content, "github_action") == []
    shell = {**content, "runs": {"using": "composite", "steps": [{"run": "true"}]}}
    assert faults(shell, "github_action")  # A step that runs something names its shell.
    for step in content["runs"]["steps"]:
        assert step["shell"] == "bash"
        # Inputs reach the script as variables only: in its text they would be code.
        assert "${{" not in step["run"]
    for output in content["outputs"].values():
        assert re.fullmatch(r"\$\{\{ steps\.check\.outputs\.\w+ \}\}", output["value"])


_FAKE = """#!/bin/bash
printf '%s\\n' "$@" >"$FAKE/asked"
while (($#)); do
  if [[ $1 == --out ]]; then printf '{}' >"$2"; fi
  shift
done
exit "$CODE"
"""


def act(tmp_path: Path, code: int, arguments: str = "") -> tuple[int, dict[str, str], list[str]]:
    """Runs the action's script as GitHub does (bash -e -o pipefail), with a fake irqcost."""
    fake = tmp_path / "irqcost"
    fake.write_text(_FAKE, encoding="utf-8")
    fake.chmod(0o755)
    (step,) = action()["runs"]["steps"]
    output = tmp_path / "output"
    output.write_text("", encoding="utf-8")
    variables = {
        "IRQCOST": str(fake),
        "HISTORY": str(tmp_path / "a history"),
        "ARGUMENTS": arguments,
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_RUN_ID": "7",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_OUTPUT": str(output),
        "FAKE": str(tmp_path),
        "CODE": str(code),
    }
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    done = subprocess.run(shell, env={**os.environ, **variables}, capture_output=True, text=True)
    said = dict(line.split("=", 1) for line in output.read_text(encoding="utf-8").splitlines())
    return done.returncode, said, (tmp_path / "asked").read_text(encoding="utf-8").splitlines()


def kept(tmp_path: Path) -> int:
    return len(list((tmp_path / "a history").glob("*.json")))


def test_the_first_run_is_kept_and_the_next_is_checked(tmp_path: Path) -> None:
    code, said, asked = act(tmp_path, 0)
    assert (code, said["code"], asked[0], kept(tmp_path)) == (0, "0", "run", 1)
    code, said, asked = act(tmp_path, 0, "--time 60")
    assert (code, asked[:2], asked[-2:]) == (0, ["check", "--run"], ["--time", "60"])
    assert str(tmp_path / "a history") in asked
    assert (Path(said["folder"]) / "result.json").exists()
    # The real command line takes what the action passes.
    cli.parser().parse_args(asked)


@pytest.mark.parametrize(("code", "ends", "more"), [(1, 1, 0), (2, 2, 0), (3, 0, 1), (0, 0, 1)])
def test_what_became_slower_is_no_baseline(tmp_path: Path, code: int, ends: int, more: int) -> None:
    (tmp_path / "a history").mkdir()
    (tmp_path / "a history" / "old.json").write_text("{}", encoding="utf-8")
    found, said, _ = act(tmp_path, code)
    assert (found, said["code"], kept(tmp_path)) == (ends, str(code), 1 + more)
    assert not (tmp_path / "a history" / ".new").exists()


def test_the_script_is_clean() -> None:
    (step,) = action()["runs"]["steps"]
    try:
        checked = ["shellcheck", "-s", "bash", "-"]
        done = subprocess.run(checked, input=step["run"], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("shellcheck is not installed")
    # Variables come from the step's env.
    assert done.returncode == 0 or set(re.findall(r"SC\d+", done.stdout)) <= {"SC2154"}, done.stdout
