# PYTHON_ARGCOMPLETE_OK
# SPDX-License-Identifier: GPL-2.0-only
"""The command line: one subcommand, one module with add_parser() and run()."""

import argparse
import difflib
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from irqcost.base import layout, streams
from irqcost.base.arguments import Formatter
from irqcost.base.errors import Answer, Exit, IrqcostError


@dataclass(frozen=True)
class _Command:
    """A module, an example of its use, and whether only a checkout has what it works on. With the
    option `driver` it is a driver of `git bisect run`, which takes small exit codes for a verdict.
    """

    module: str
    example: str
    driver: str = ""
    develops: bool = False


# By group and name, in the order of the help. Loading all modules takes as long as a small
# comparison, so only the one that was asked for is loaded.
_GROUPS: Mapping[str, Mapping[str, _Command]] = {
    "Measure": {
        "run": _Command("irqcost.commands.run", "run --quick"),
        "vm": _Command("irqcost.commands.vm", "vm --exact"),
        "sweep": _Command("irqcost.commands.sweep", "sweep popf"),
        "contention": _Command("irqcost.commands.contention", "contention results/CPU/RESULT.json"),
        "fleet": _Command("irqcost.commands.fleet", "fleet -i hosts.ini -- --quick"),
    },
    "Compare": {
        "compare": _Command("irqcost.commands.compare", "compare A.json B.json"),
        "report": _Command("irqcost.commands.report", "report results/CPU -o blog"),
        "site": _Command("irqcost.commands.site", "site -o public"),
        "submit": _Command("irqcost.commands.submit", "submit results/CPU/RESULT.json"),
        "history": _Command("irqcost.commands.history", "history results/CPU"),
        "ab": _Command("irqcost.commands.builds.ab", "ab HEAD~1 HEAD"),
        "bisect": _Command(
            "irqcost.commands.builds.bisect",
            "bisect HEAD~9 HEAD --benchmark kmod/cli_sti/throughput",
            driver="--good",
        ),
    },
    "Guard": {
        "check": _Command("irqcost.commands.check", "check --run --baseline results/CPU"),
    },
    "Many machines": {
        "export": _Command(
            "irqcost.commands.records.export", "export --csv results/CPU -o all.csv"
        ),
        "push": _Command(
            "irqcost.commands.records.push", "push /srv/irqcost results/CPU/RESULT.json"
        ),
    },
    "This machine": {
        "doctor": _Command("irqcost.commands.doctor", "doctor --host"),
        "tune": _Command("irqcost.commands.tune", "tune --dry-run"),
        "selftest": _Command("irqcost.commands.selftest", "selftest --quick"),
        "disasm": _Command("irqcost.commands.disasm", "disasm cli_sti"),
    },
    "Develop": {
        "probes": _Command("irqcost.commands.project.probes", "probes --json"),
        "test": _Command("irqcost.commands.project.test", "test --fast", develops=True),
        "lint": _Command("irqcost.commands.project.lint", "lint", develops=True),
    },
}
# All of them, by name.
COMMANDS = {name: one for group in _GROUPS.values() for name, one in group.items()}

# Names until 0.4, which still work.
_OLD_NAMES = {"waits": "contention"}


def _offered(commands: Mapping[str, _Command]) -> Mapping[str, _Command]:
    """Those that can work here."""
    kept = layout.installed() is None
    return {name: one for name, one in commands.items() if kept or not one.develops}


_EPILOG = """\
`irqcost COMMAND --help` explains a command.

Exit codes: 0 fine, 1 a check failed, 2 wrong usage or unusable data (also where the rest was still
done), 3 undecided, 4 a build failed, 70 an error of irqcost itself, 130 interrupted, 255 the guest
died.
"""

_INSTALLING = """
Missing packages are installed on Debian and Ubuntu; --no-install, anywhere before --, forbids it.
"""


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """The whole command line, or that of one command."""
    top = argparse.ArgumentParser(
        prog="irqcost",
        usage="irqcost COMMAND [options]",
        epilog=_EPILOG + ("" if layout.installed() else _INSTALLING),
        formatter_class=Formatter,
    )
    top.add_argument("--version", action="version", version=f"irqcost {layout.version()}")
    commands = top.add_subparsers(
        prog="irqcost", metavar="COMMAND", required=True, help=argparse.SUPPRESS
    )
    for name, one in _offered(COMMANDS).items():
        if command in (None, name):
            import_module(one.module).add_parser(commands)
            own = commands.choices[name]
            own.formatter_class = Formatter
            own.epilog = f"{own.epilog or ''}\n\nExample: {layout.command()} {one.example}".strip()
    if command is None:
        helps = {action.dest: action.help or "" for action in commands._choices_actions}
        top.description = _overview(helps)
    return top


def _overview(helps: Mapping[str, str]) -> str:
    """What the commands are for, in groups, each with an example."""
    lines = ["What masking interrupts costs: on this CPU, with this kernel, by this primitive."]
    for group, commands in _GROUPS.items():
        lines += ["", f"{group}:"]
        for name, one in _offered(commands).items():
            lines.append(f"  {name:12}{helps[name]}")
            lines.append(f"  {'':12}  {layout.command()} {one.example}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code. Usage errors leave through argparse, with 2."""
    given = _with_current_name(sys.argv[1:] if arguments is None else list(arguments))
    if "_ARGCOMPLETE" in os.environ:
        _complete()
    if not given:
        parser().print_help(sys.stderr)
        sys.exit(Exit.UNUSABLE)
    driver = COMMANDS[given[0]].driver if given[0] in COMMANDS else ""
    if driver and any(one.partition("=")[0] == driver for one in given):
        return _driving(given)
    return _main(given)


def _driving(given: Sequence[str]) -> int:
    """A command as a driver: whatever is no verdict stops the bisection."""
    try:
        code = _main(given)
    except SystemExit:
        return Answer.STOP
    return code if code in list(Answer) else Answer.STOP


def _main(given: Sequence[str]) -> int:
    asked = given[0] if given[0] in COMMANDS else None
    if asked is None and not given[0].startswith("-"):
        print(f"irqcost: {_unknown(given[0])}", file=sys.stderr)
        sys.exit(Exit.UNUSABLE)
    if asked not in (None, *_offered(COMMANDS)):
        print(f"irqcost: {asked} works on the sources of irqcost: use a checkout", file=sys.stderr)
        sys.exit(Exit.UNUSABLE)
    with streams.guarded() as (output, errors):
        args = parser(asked).parse_args(given)
        code = _run(args)
        output.flush()
        if output.lost:
            print(f"irqcost: standard output: {output.lost}", file=errors)
    # A verdict stays what it is, whoever reads the words.
    if output.lost and code == Exit.OK and not getattr(args, "judges", False):
        return Exit.UNUSABLE
    return code


def _with_current_name(given: list[str]) -> list[str]:
    """The command line with the command called as it is now; an old name is noted."""
    if not given or given[0] not in _OLD_NAMES:
        return given
    name = _OLD_NAMES[given[0]]
    print(f"irqcost: the command {given[0]} is called {name} now", file=sys.stderr)
    return [name, *given[1:]]


def _run(args: argparse.Namespace) -> int:
    try:
        return int(args.run(args))
    except IrqcostError as error:
        print(f"irqcost: {error}", file=sys.stderr)
        return error.code
    except OSError as error:
        print(f"irqcost: {error.filename or 'error'}: {error.strerror}", file=sys.stderr)
        return Exit.UNUSABLE
    except Exception as error:
        if os.environ.get("IRQCOST_DEBUG"):
            traceback.print_exc()
        print(f"irqcost: {_unforeseen(error)}", file=sys.stderr)
        return Exit.UNFORESEEN


def _unforeseen(error: Exception) -> str:
    """An error of irqcost itself, in a line that can be reported."""
    *_, place = traceback.extract_tb(error.__traceback__)
    what = " ".join(traceback.format_exception_only(type(error), error)[-1].split())
    return (
        f"internal error: {what} ({Path(place.filename).name}:{place.lineno}); please open an "
        "issue with what IRQCOST_DEBUG=1 prints before this line"
    )


def _unknown(command: str) -> str:
    """What to say of a command that there is not."""
    near = difflib.get_close_matches(command, COMMANDS, n=1)
    hint = f"did you mean {near[0]}?" if near else "`irqcost --help` lists the commands"
    return f"no command is called {command!r}; {hint}"


def _complete() -> None:
    """Completes what a shell asks about, and exits."""
    import argcomplete  # Only where a shell is set up for it.

    # Of the words so far the second is the command; while that is being typed, all are wanted.
    words = os.environ.get("COMP_LINE", "").split()
    asked = words[1] if len(words) > 1 and words[1] in COMMANDS else None
    argcomplete.autocomplete(parser(asked))
