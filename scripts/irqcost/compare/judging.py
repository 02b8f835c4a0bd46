# SPDX-License-Identifier: GPL-2.0-only
"""Results judged by a baseline: those in files, or one that is measured for it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from irqcost.base.errors import ResultError
from irqcost.base.process import confined
from irqcost.compare import baseline
from irqcost.compare.baseline import Run
from irqcost.compare.checked import Checked, Select, against, confirmed
from irqcost.compare.policy import Policy
from irqcost.machine import host
from irqcost.measure import running
from irqcost.measure.options import Options
from irqcost.model import reader, store


@dataclass(frozen=True)
class Judge:
    """What results are judged by: records, of which those `named` must be used, rules, and which
    results are judged."""

    records: Sequence[store.Record]
    named: Sequence[Path]
    rules: Policy
    select: Select

    def __call__(self, new: Run, of: int = 0) -> Checked:
        return against(new, self.records, self.named, self.rules, self.select, of)

    def files(self, paths: Sequence[Path]) -> tuple[list[Checked], list[ResultError]]:
        """The results in files and folders, judged, and what could not be read."""
        checked = []
        found, errors = reader.find_results(paths)
        for path in found:
            try:
                new = baseline.load(path)
            except ResultError as error:
                errors.append(error)
            else:
                # There may be thousands: what was judged by is not kept.
                checked.append(replace(self(new), new=new.without_grounds()))
        return checked, errors

    def measured(self, asked: Options, out: Path | None) -> Checked:
        """A result that is measured into `out`, or where results lie."""
        # What is measured and what is judged is the same.
        judge = replace(self, select=lambda name: self.select(name) and asked.selects(name))
        if asked.cpu is None and asked.core_type is None:
            # Of a hybrid CPU one type is checked: a baseline has one file for each.
            asked = replace(asked, core_type=next(iter(host.core_types()), None))

        def measure(path: Path, only: str | None) -> Run:
            chosen = replace(asked, filter=only or asked.filter)
            what = running.prepared(chosen)
            ((place, cpus),) = running.parts(chosen, path)
            with confined(cpus):
                running.measured(what, place)
            print(f"Result: {place}", file=sys.stderr)
            return baseline.load(place)

        with running.reserved(asked, out) as target:
            return confirmed(target, measure, judge)
