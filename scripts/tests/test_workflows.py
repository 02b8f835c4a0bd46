# SPDX-License-Identifier: GPL-2.0-only
"""action.yml and the workflows in docs/CI.md: well-formed, pinned, and the script at work."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

from irqcost import ROOT, cli
from irqcost.base.errors import Exit
from irqcost.compare import policy
from irqcost.measure import running
from results_of import run

yaml = pytest.importorskip("yaml")

_DOCUMENT = (ROOT / "docs" / "CI.md").read_text(encoding="utf-8")
_REPORT = (ROOT / "docs" / "REPORT.md").read_text(encoding="utf-8")


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
        cli.parser().parse_args(["check", "--run", *given.get("arguments", "").split()])


def test_there_are_all_workflows() -> None:
    push, pull, night = (workflow(text) for text in blocks("yaml"))
    assert "push" in push["on"] and "pull_request" in pull["on"] and "schedule" in night["on"]
    # Code of forks does not run on the machine, and does not get a token that writes.
    (job,) = pull["jobs"].values()
    assert job["if"] == "github.event.pull_request.head.repo.full_name == github.repository"


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


_OWN = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", _OWN, ids=lambda path: path.stem)
def test_our_own_workflows_are_pinned_and_end(path: Path) -> None:
    content = workflow(path.read_text(encoding="utf-8"))
    assert faults(content, "github_workflow") == []
    assert content["permissions"] == {"contents": "read"} and "concurrency" in content
    for job in content["jobs"].values():
        assert job["timeout-minutes"] > 0
        for step in job["steps"]:
            assert "run" in step or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"])
            assert "${{" not in step.get("run", "")  # What it stands for could be a command.


def test_the_site_is_built_and_published() -> None:
    text = (ROOT / ".github" / "workflows" / "pages.yml").read_text(encoding="utf-8")
    build, publish = workflow(text)["jobs"].values()
    # Not in every fork; and what runs our code cannot publish.
    assert build["if"] == "vars.PUBLISH_PAGES == 'yes'" and "PUBLISH_PAGES" in _REPORT
    assert "write" not in build["permissions"].values() and publish["needs"] == "build"
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    assert all("uses" in step for step in publish["steps"])
    *_, make, upload = build["steps"]
    program, *arguments = shlex.split(make["run"])
    args = cli.parser().parse_args(arguments)
    # Where nothing is named, the results of the checkout.
    assert program == "./irqcost" and args.paths == []
    assert str(args.out) == upload["with"]["path"]
    used = [step["uses"].partition("@")[0] for step in build["steps"][1:] if "uses" in step]
    used += [step["uses"].partition("@")[0] for step in publish["steps"]]
    names = ("configure-pages", "upload-pages-artifact", "deploy-pages")
    assert used[1:] == [f"actions/{name}" for name in names]


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
printf '### summary\\n' >>"$GITHUB_STEP_SUMMARY"
while (($#)); do
  if [[ $1 == --out && $VERDICT ]]; then
    printf '{"context": {"irqcost": {"verdict": {"verdict": "%s"}}}}' "$VERDICT" >"$2"
  fi
  shift
done
exit "$CODE"
"""


class Runner:
    """A GitHub runner with a fake irqcost, which ends with a code and leaves a result with a
    verdict ("" for no result)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.history = folder / "a [x] history"
        fake = folder / "irqcost"
        fake.write_text(_FAKE, encoding="utf-8")
        fake.chmod(0o755)

    def act(self, code: int = 0, verdict: str = "good", **inputs: str) -> "Done":
        """Runs the action's step as GitHub does, with inputs by the names of its variables."""
        (step,) = action()["runs"]["steps"]
        output, summary = (self._folder / name for name in ("output", "summary"))
        output.write_text("", encoding="utf-8")
        summary.write_text("", encoding="utf-8")
        (self._folder / "asked").write_text("", encoding="utf-8")
        defaults = {
            "HISTORY": str(self.history),
            "FAIL_ON": action()["inputs"]["fail-on"]["default"],
        }
        variables = {
            "IRQCOST": str(self._folder / "irqcost"),
            "SCRIPT": str(ROOT / "scripts" / "ci" / "check-action"),
            **dict.fromkeys(("REFERENCE", "CONFIG", "ARGUMENTS"), ""),
            **defaults,
            **inputs,
            "RUNNER_TEMP": str(self._folder),
            "HOME": str(self._folder / "home"),
            "GITHUB_RUN_ID": "7",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            "FAKE": str(self._folder),
            "CODE": str(code),
            "VERDICT": verdict,
        }
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(
            shell, env={**os.environ, **variables}, capture_output=True, text=True, cwd=self._folder
        )
        lines = output.read_text(encoding="utf-8").splitlines()
        asked = (self._folder / "asked").read_text(encoding="utf-8").splitlines()
        said = dict(line.split("=", 1) for line in lines)
        return Done(done.returncode, done.stdout, said, asked, summary.read_text("utf-8"))

    def kept(self, folder: Path | None = None) -> int:
        return len(list((folder or self.history).iterdir()))


class Done(NamedTuple):
    code: int
    out: str
    outputs: dict[str, str]
    asked: list[str]
    summary: str


@pytest.fixture(name="runner")
def _runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def test_the_first_run_honours_the_arguments_and_is_kept(runner: Runner) -> None:
    first = runner.act(2, ARGUMENTS="--time 60", CONFIG="a b.toml")
    assert (first.code, first.outputs["verdict"], runner.kept()) == (0, "missing-baseline", 1)
    assert first.asked[:2] == ["check", "--run"]
    assert first.asked[-4:] == ["--time", "60", "--config", "a b.toml"]
    # That nothing was checked is seen.
    assert "::warning title=irqcost::nothing was checked: no earlier result in " in first.out
    second = runner.act(0, ARGUMENTS="--time 60")
    assert (second.code, second.outputs["verdict"], runner.kept()) == (0, "0", 2)
    assert "--github-annotations" in second.asked and "::warning" not in second.out
    assert str(runner.history) in second.asked
    assert Path(second.outputs["result"]).exists()
    assert second.summary == Path(second.outputs["summary"]).read_text("utf-8") == "### summary\n"
    # The real command line takes what the action passes.
    cli.parser().parse_args(second.asked)


def test_it_may_be_used_twice_in_a_job(runner: Runner) -> None:
    folders = {runner.act(code).outputs["folder"] for code in (2, 0, 0)}
    assert len(folders) == 3 and runner.kept() == 3


@pytest.mark.parametrize("verdict", ["disturbed", "inconsistent", "uncalibrated"])
def test_only_a_good_result_becomes_a_baseline(runner: Runner, verdict: str) -> None:
    done = runner.act(2, verdict)
    assert done.code == 0 and runner.kept() == 0
    assert f"::warning title=irqcost::not kept as a baseline: the run is {verdict}." in done.out


@pytest.mark.parametrize(("code", "ends", "more"), [(1, 1, 0), (2, 2, 0), (3, 0, 1), (0, 0, 1)])
def test_what_became_slower_is_no_baseline(runner: Runner, code: int, ends: int, more: int) -> None:
    runner.history.mkdir()
    (runner.history / "old.json").write_text("{}", encoding="utf-8")
    done = runner.act(code)
    assert (done.code, done.outputs["code"], runner.kept()) == (ends, str(code), 1 + more)


def test_a_usage_error_of_the_first_run_fails(runner: Runner) -> None:
    assert runner.act(2, "").code == 2 and runner.kept() == 0


def test_an_error_of_irqcost_fails_whatever_may_fail(runner: Runner) -> None:
    assert runner.act(70, FAIL_ON="regression").code == 70


def test_a_home_is_expanded(runner: Runner, tmp_path: Path) -> None:
    assert runner.act(2, HISTORY="~/some results").code == 0
    assert runner.kept(tmp_path / "home" / "some results") == 1
    assert not (tmp_path / "~").exists()


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"HISTORY": "results"}, "history: results is not an absolute path"),
        ({"HISTORY": ""}, "give the input history, or reference"),
        ({"REFERENCE": "/none"}, "reference: /none does not exist"),
        ({"FAIL_ON": "everything"}, "fail-on: everything is not regression, "),
        ({"HISTORY": "a\n::stop-commands::x"}, "history: a%0A::stop-commands::x is not an"),
    ],
)
def test_wrong_inputs_fail_before_anything_is_measured(
    runner: Runner, inputs: dict[str, str], said: str
) -> None:
    done = runner.act(0, **inputs)
    assert done.code == 2 and not done.asked
    (line,) = done.out.splitlines()
    assert line.startswith(f"::error title=irqcost::{said}")


def test_a_reference_takes_the_place_of_the_history(runner: Runner, tmp_path: Path) -> None:
    base = tmp_path / "base.json"
    base.write_text("{}", encoding="utf-8")
    done = runner.act(0, HISTORY="", REFERENCE=str(base))
    assert done.code == 0
    assert done.asked[done.asked.index("--baseline") + 1] == str(base)
    assert runner.act(0, REFERENCE=str(base)).code == 0 and runner.kept() == 1


@pytest.mark.parametrize(
    ("code", "fail_on", "ends"),
    [
        (3, "regression inconclusive", 3),
        (1, "incomparable", 0),
        (2, "missing-baseline", 2),
        (1, "regression", 1),
        (1, "inconclusive\nregression\n", 1),
        (1, "inconclusive\tregression", 1),
    ],
)
def test_what_fails_is_an_input(runner: Runner, code: int, fail_on: str, ends: int) -> None:
    if code != 2:
        assert runner.act(2).code == 0
    assert runner.act(code, FAIL_ON=fail_on).code == ends


def test_the_command_is_done_with_an_empty_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the script relies on for the first run: it is measured, and ends with 2."""

    def measured(_: object, target: Path) -> None:
        run(target, {"ring3/popf/throughput": [30.0] * 8})

    monkeypatch.setattr(running, "prepared", lambda options: options)
    monkeypatch.setattr(running, "parts", lambda options, target: [(target, None)])
    monkeypatch.setattr(running, "measured", measured)
    (tmp_path / "history").mkdir()
    out, junit = tmp_path / "out.json", tmp_path / "junit.xml"
    arguments = ["--baseline", str(tmp_path / "history"), "--out", str(out), "--junit", str(junit)]
    assert cli.main(["check", "--run", *arguments]) == Exit.UNUSABLE
    assert out.stat().st_size > 100 and junit.stat().st_size > 100


def test_the_instrument_is_pinned_to_a_version() -> None:
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    for text in blocks("yaml"):
        for job in workflow(text)["jobs"].values():
            (get,) = [step for step in job["steps"] if step["name"] == "Get irqcost"]
            assert get["with"]["ref"] == f"v{version}"
    assert _DOCUMENT.count(f"v{version}") >= 6


def test_recipes_of_other_servers() -> None:
    """Their commands are those of this version, whichever server's syntax they have."""
    assert set(yaml.safe_load(blocks("yml")[0])) == {"irqcost"}
    assert set(yaml.safe_load(blocks("yml")[1])) == {"steps"}
    assert len(blocks("groovy")) == 1
    recipes = [*blocks("yml"), *blocks("groovy")]
    for text in recipes:
        joined = re.sub(r"\\\n\s*", "", text)
        commands = re.findall(r"irqcost/irqcost (check --run [^'|\n]*)", joined)
        assert commands, text
        for command in commands:
            args = cli.parser().parse_args(shlex.split(command))
            assert args.baseline and args.junit
        assert "tune --restore" in text and "junit.xml" in text
