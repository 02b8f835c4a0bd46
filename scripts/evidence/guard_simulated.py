# SPDX-License-Identifier: GPL-2.0-only
r"""How often does `irqcost check --run --quick` raise false alarms on simulated CPUs, and what does
it find?

Each CPU, one of results/published/traits.csv, has a history of runs: five to begin with, then one
for each job, all with seeds of their own and under four conditions in rotation. A job judges its
run by the five before it, as a guard in use does, and measures again what is slower or undecided:
running.measured(), baseline.cases(), regression.judge() and checked.confirmed() are those of the
command. Every fifth job is done a second time on a machine on which one primitive costs half a core
cycle more.

The new run of a job is independent of all runs before it, those of its baseline included. So the
bound holds although jobs share baselines: if their mean chance of a false alarm, given the
baseline, is above the exact one, the chance of no alarm at all is below 2.5 %.

    PYTHONPATH=scripts /usr/bin/python3 scripts/evidence/guard_simulated.py --out FILE --keep

A job takes about 1.3 seconds of CPU time. It can be stopped and restarted: jobs in FILE are not
done again. Without options the table of the recording is printed.
"""

import argparse
import json
import lzma
import random
import sys
import tempfile
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import asdict, dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

from scipy.stats import beta

from guard import share
from irqcost import ROOT
from irqcost.base.progress import Progress
from irqcost.base.verdicts import Change
from irqcost.compare import baseline, policy, regression
from irqcost.compare.baseline import Run
from irqcost.compare.checked import Checked, confirmed
from irqcost.measure import build, harness, running
from irqcost.measure.options import Options
from irqcost.measure.simulation import traits
from irqcost.model import catalogue
from irqcost.stats import intervals

RECORDING = Path(__file__).with_name("recorded") / "guard-simulated.jsonl.xz"
PAGE = ROOT / "docs" / "method" / "guard.md"
_MARK = "<!-- guard_simulated.py -->"

CONDITIONS = ("quiet", "intermittent", "turbo", "interrupts")

# Of the 162 CPUs every fourth, and jobs of each.
_EVERY, _JOBS = 4, 20
# Every so many jobs one is done with a slowdown, too: no multiple of the conditions.
_SLOWED, ADDED = 5, 0.5
# Of a primitive up to this cost 0.25 core cycles matter, half of what is added.
_CHEAP = 50.0
# Other machines have other seeds.
_OF_SLOW, _OF_ATTEMPT = 10_000, 1_000


@dataclass(frozen=True)
class Job:
    """What came of one. Verdicts are by how many results have them, in the first measurement and at
    the end; `slower` and `faster` name the wrong ones at the end. `slowed` is the probe of the
    second machine, with the verdicts on it: in the first measurement, and at the end."""

    cpu: str
    number: int
    condition: str
    first: dict[str, int]
    last: dict[str, int]
    first_slower: list[str]
    slower: list[str]
    faster: list[str]
    undecided: list[str]
    slowed: str | None = None
    found_first: str | None = None
    found: str | None = None

    @property
    def key(self) -> tuple[str, int]:
        return self.cpu, self.number


class Machine:
    """A CPU and the runs on it. Run number N is the same whenever it is made."""

    def __init__(self, core: traits.Core, place: int, bench: Path, folder: Path) -> None:
        self.core, self._place, self._bench, self._folder = core, place, bench, folder
        self._runs: dict[int, Run] = {}
        self._truth: Mapping[str, float] = {}

    def condition(self, number: int) -> str:
        return CONDITIONS[(self._place + number) % len(CONDITIONS)]

    def description(self, number: int, seed: int) -> traits.Description:
        return traits.description(self.core, self.condition(number), seed)

    def run(self, machine: traits.Description, only: str | None = None) -> Run:
        """One that is made as by `irqcost run --simulate FILE --quick`."""
        described, place = self._folder / "machine.json", self._folder / "result.json"
        described.write_text(json.dumps(machine), encoding="utf-8")
        place.unlink(missing_ok=True)
        options = Options(quick=True, simulate=described, filter=only)
        arguments = options.arguments()
        if only is None:
            names = harness.names(self._bench, arguments)
        else:
            arguments, names = harness.with_controls(self._bench, arguments)
        with redirect_stderr(StringIO()):
            running.measured(
                running.Prepared(options, self._bench, arguments, names, 0.0, 0.0), place
            )
        if not self._truth:
            content = json.loads(place.read_text(encoding="utf-8"))
            self._truth = content["context"]["irqcost"]["simulated"]["truth"]
        return baseline.load(place)

    def earlier(self, number: int) -> Run:
        """The first measurement of a run of the history."""
        if number not in self._runs:
            self._runs[number] = self.run(self.description(number, number + 1))
        return self._runs[number]

    def job(self, number: int, rules: policy.Policy) -> Job:
        before = [self.earlier(one) for one in range(number - 1, number - 1 - rules.runs, -1)]
        first, last = self._checked(number, 0, None, before, rules)
        found = Job(
            self.core.source,
            number,
            self.condition(number),
            _counts(first),
            _counts(last),
            _names(first, Change.REGRESSION),
            _names(last, Change.REGRESSION),
            _names(last, Change.IMPROVEMENT),
            _names(last, Change.INCONCLUSIVE),
        )
        if number % _SLOWED == 0:
            probe = cheap(self._truth, f"{self.core.source} {number}")
            name = f"ring3/{probe}/throughput"
            first, last = self._checked(number, _OF_SLOW, probe, before, rules)
            verdicts = [
                next(one.status for one in checked.judged if one.name == name)
                for checked in (first, last)
            ]
            found = replace(
                found, slowed=probe, found_first=verdicts[0].value, found=verdicts[1].value
            )
        self._runs.pop(number - rules.runs, None)
        return found

    def _checked(
        self,
        number: int,
        seeds: int,
        slowed: str | None,
        before: Sequence[Run],
        rules: policy.Policy,
    ) -> tuple[Checked, Checked]:
        """As of the first measurement, and at the end."""
        judgements: list[Checked] = []

        def measure(_: Path, only: str | None) -> Run:
            if only is None and slowed is None:
                return self.earlier(number)
            seed = number + 1 + seeds + _OF_ATTEMPT * len(judgements)
            machine = self.description(number, seed)
            if slowed is not None:
                slow_down(machine, self._truth, slowed)
            return self.run(machine, only)

        def judge(new: Run, of: int) -> Checked:
            cases = baseline.cases(new, before, rules).cases
            judged = tuple(regression.judge(cases, rules.risk, of))
            judgements.append(Checked(new, (), judged))
            return judgements[-1]

        with redirect_stderr(StringIO()):
            last = confirmed(Path("new"), measure, judge)
        return judgements[0], last


def cheap(truth: Mapping[str, float], draw: str) -> str:
    """A probe of ring 3 by chance, always the same for one `draw`. Controls are traits of the core,
    and no costs of a description."""
    controls = {probe.key for probe in catalogue.read() if probe.group == "control"}
    parts = [name.split("/") for name in truth if truth[name] <= _CHEAP]
    probes = [
        probe
        for backend, probe, mode, *_ in parts
        if (backend, mode) == ("ring3", "throughput") and probe not in controls
    ]
    return random.Random(draw).choice(probes)


def slow_down(machine: traits.Description, truth: Mapping[str, float], probe: str) -> None:
    """Makes a probe of the description cost ADDED core cycles more than it truly does."""
    costs: dict[str, Any] = {}
    for name, cost in truth.items():
        backend, of, mode, *section = name.split("/")
        if (backend, of) == ("ring3", probe):
            inner = costs.setdefault(mode, {}) if section else costs
            inner[section[0] if section else mode] = cost + ADDED
    machine["rows"] = {**machine["rows"], probe: costs}


def _counts(checked: Checked) -> dict[str, int]:
    return dict(Counter(one.status.value for one in checked.judged))


def _names(checked: Checked, status: Change) -> list[str]:
    return [one.name for one in checked.having(status)]


def jobs(done: Iterable[Job], bench: Path, count: int, every: int) -> Iterator[Job]:
    """Those that are not done, one after another: `count` of every so many-th CPU."""
    known = {job.key for job in done}
    rules = policy.read(None)
    for place, core in enumerate(traits.cores()[::every]):
        with tempfile.TemporaryDirectory(prefix="irqcost-") as folder:
            machine = Machine(core, place, bench, Path(folder))
            for number in range(rules.runs, rules.runs + count):
                if (core.source, number) not in known:
                    yield machine.job(number, rules)


def read(path: Path) -> list[Job]:
    if not path.exists():
        return []
    content = path.read_bytes()
    text = lzma.decompress(content) if path.suffix == ".xz" else content
    return [Job(**json.loads(line)) for line in text.decode().splitlines()]


def keep(done: Sequence[Job]) -> None:
    """Writes the recording, and what the page says of it."""
    lines = "".join(json.dumps(asdict(job), separators=(",", ":")) + "\n" for job in done)
    RECORDING.write_bytes(lzma.compress(lines.encode()))
    before, _, after = PAGE.read_text(encoding="utf-8").split(_MARK)
    text = f"{before}{_MARK}\n{summary(done)}\n{_MARK}{after}"
    PAGE.write_text(text, encoding="utf-8")


def summary(done: Sequence[Job]) -> str:
    """The claim, the table, and what it does not say."""
    paragraphs = [claim(done) + ".", table(done), remarks(done)]
    return "\n\n".join(
        one if one.startswith("|") else textwrap.fill(one, 100, break_on_hyphens=False)
        for one in paragraphs
    )


def exact(hits: int, n: int) -> float:
    """The upper end of Clopper's and Pearson's 95 % interval (Biometrika 26, 1934)."""
    tail = (1 - intervals.CONFIDENCE) / 2
    return 1.0 if hits == n else float(beta.ppf(1 - tail, hits + 1, n - hits))


def table(done: Sequence[Job]) -> str:
    """Markdown: a row for each condition of the new run, and one for all."""
    heads = ("condition of the new run", "jobs", "CPUs", "false regression", "at most (exact)")
    heads += ("false improvement", "an inconclusive result", f"+{ADDED} cycle found")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name in (*CONDITIONS, "all"):
        of = [job for job in done if name in (job.condition, "all")]
        if not of:
            continue
        n, slowed = len(of), [job for job in of if job.slowed]
        false = sum(bool(job.slower) for job in of)
        cells = [name, str(n), str(len({job.cpu for job in of})), f"{share(false, n, n)}"]
        cells.append(f"{100 * exact(false, n):.2f} %")
        cells += [
            share(sum(map(bool, of_jobs)), n, n)
            for of_jobs in ([job.faster for job in of], [job.undecided for job in of])
        ]
        found = sum(job.found == Change.REGRESSION for job in slowed)
        cells.append(share(found, len(slowed), len(slowed)) if slowed else "–")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def claim(done: Sequence[Job]) -> str:
    """What may be said of false alarms, in words."""
    n, false = len(done), sum(bool(job.slower) for job in done)
    return (
        f"{false} of {n} simulated jobs reported a false regression: at most "
        f"{100 * intervals.share_interval(false, n)[1]:.1f} % at 95 %"
    )


def remarks(done: Sequence[Job]) -> str:
    """What the table does not say."""
    again = sum(bool(job.first_slower) for job in done)
    results = sum(sum(job.last.values()) for job in done)
    wrong = Counter(name for job in done for name in job.slower)
    named = ", ".join(f"`{name}` {count}" for name, count in wrong.most_common())
    found = Counter(job.found_first for job in done if job.slowed)
    verdicts = ", ".join(f"{count} {word}" for word, count in found.most_common())
    return (
        f"{results} results were judged. Jobs that called a result slower in the first "
        f"measurement: {again}; at the end, by result: {named or 'none'}. Of {sum(found.values())} "
        f"slowed primitives the first measurement called {verdicts or 'none'}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=" ".join((__doc__ or "").split("\n\n")[0].split()))
    parser.add_argument("--out", type=Path, help="do the jobs that this file lacks, and add them")
    parser.add_argument(
        "--jobs", type=int, default=_JOBS, help="of each CPU (default: %(default)s)"
    )
    parser.add_argument(
        "--every", type=int, default=_EVERY, help="take every so many-th CPU (default: %(default)s)"
    )
    parser.add_argument(
        "--keep", action="store_true", help="make that the recording, and the table of the page"
    )
    parser.add_argument("--bench", type=Path, help="the harness (default: build/release)")
    args = parser.parse_args()
    done = read(args.out or RECORDING)
    if args.out:
        wanted = args.jobs * len(traits.cores()[:: args.every])
        with Progress(f"{wanted} jobs") as progress, args.out.open("a", encoding="utf-8") as out:
            for job in jobs(done, args.bench or build.bench(), args.jobs, args.every):
                print(json.dumps(asdict(job), separators=(",", ":")), file=out, flush=True)
                done.append(job)
                progress.count(len(done), wanted, job.condition)
    if not done:
        sys.exit("no job is recorded")
    print(summary(done))
    if args.keep:
        keep(done)


if __name__ == "__main__":
    sys.exit(main())
