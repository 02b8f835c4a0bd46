# SPDX-License-Identifier: GPL-2.0-only
"""Writes Debian's changelog of a package from CHANGELOG.md."""

import argparse
import gzip
import re
import sys
import textwrap
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_HEADING = re.compile(r"^## ([0-9][0-9.]*), (.+)$", re.MULTILINE)


def entries(text: str, package: str, maintainer: str, now: datetime) -> Iterator[str]:
    """An entry for each version, the newest first; @now is the date of one that has none."""
    _, *parts = _HEADING.split(text)
    for version, when, body in zip(parts[0::3], parts[1::3], parts[2::3]):
        released = bool(re.fullmatch(r"\d{4}-\d\d-\d\d", when))
        date = datetime.fromisoformat(when).replace(tzinfo=timezone.utc) if released else now
        lines = [f"{package} ({version}-1) {'unstable' if released else 'UNRELEASED'}; urgency=low"]
        lines += ["", *changes(body), ""]
        lines.append(f" -- {maintainer}  {date:%a, %d %b %Y %H:%M:%S %z}")
        yield "\n".join(lines) + "\n"


def changes(body: str) -> Iterator[str]:
    """The items of a version under their headings, as Debian lays them out."""
    for block in re.split(r"\n(?=- |### )", body.strip()):
        words = " ".join(block.split()).replace("`", "")
        if words.startswith("### "):
            yield f"  [ {words[4:]} ]"
        elif words:
            yield from textwrap.wrap(
                words.removeprefix("- "), 78, initial_indent="  * ", subsequent_indent="    "
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package")
    parser.add_argument("maintainer")
    parser.add_argument("stamp", type=int, help="seconds since 1970, of what is not released")
    parser.add_argument("out", type=Path, help="the file, compressed")
    args = parser.parse_args()
    now = datetime.fromtimestamp(args.stamp, timezone.utc)
    text = (_ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    made = "\n".join(entries(text, args.package, args.maintainer, now))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_bytes(gzip.compress(made.encode(), 9, mtime=0))
    return 0


if __name__ == "__main__":
    sys.exit(main())
