# SPDX-License-Identifier: GPL-2.0-only
"""Plain English: the rules of prose.toml, applied to documentation, comments and messages."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePath

_RULES = Path(__file__).with_name("prose.toml")

# What is prose in a language: comments and strings, of which the first alternative that matches
# wins, so that a quote in a comment opens no string.
_STRING = r'(?:\b\w\w?)?"(?:\\.|[^"\\\n])*"'
_C = rf"/\*.*?\*/|//[^\n]*|{_STRING}"
_SHELL = rf"(?<![^\s])#[^\n]*|{_STRING}"
_PYTHON = rf'r?"""(?:\\.|.)*?"""|#[^\n]*|{_STRING}|' + r"(?:\b\w\w?)?'(?:\\.|[^'\\\n])*'"
_PROSE = {
    **dict.fromkeys((".c", ".h", ".cc", ".def", ".js", ".css"), _C),
    **dict.fromkeys(("", ".yml", ".toml", ".txt", ".sh", ".cfg", ".conf"), _SHELL),
    ".py": _PYTHON,
    ".j2": r">[^<>]+<",
    ".md": r".+",
}
# Code in prose: fenced and indented blocks of Markdown, what is in backquotes or in braces.
_MARKDOWN_CODE = r"^```.*?^```|^(?: {4}|\t)[^\n]*|\]\([^)\s]*\)|<[^<>]*>"
_CODE = r"`[^`\n]*\n?[^`\n]*`|\{[^{}]*\}"
_MARKERS = re.compile(
    r"""^[ \t]*(?:\*|//+|\#)(?!/)|["']|/\*+|\*/|\\n|//+|\#|\A\w\w?(?=["'])""", re.M
)
_NOT_PROSE = "\0"


@dataclass(frozen=True)
class Rules:
    """What prose.toml says."""

    skip: tuple[str, ...]
    columns: int
    spelled: tuple[str, ...]
    advice: dict[re.Pattern[str], str]


@cache
def rules() -> Rules:
    read = tomllib.loads(_RULES.read_text("utf-8"))
    pairs = [*read["glossary"].items(), *read["habits"].items()]
    advice = {
        re.compile(rf"\b(?:{one})(?!\w)".replace(" ", r"\s+"), re.I): text for one, text in pairs
    }
    return Rules(tuple(read["skip"]), read["columns"], tuple(read["spelled"]), advice)


def _blank(text: str, filler: str) -> str:
    return re.sub(r"[^\n]", filler, text)


def _without(pattern: str, text: str) -> str:
    return re.sub(pattern, lambda code: _blank(code[0], _NOT_PROSE), text, flags=re.S | re.M)


def is_read(name: str) -> bool:
    """Whether a file of the project, by its name from the root, has prose and is not skipped."""
    known = PurePath(name).suffix in _PROSE
    return known and not any(PurePath(name).is_relative_to(one) for one in rules().skip)


def prose(name: str, text: str) -> str:
    """The text with everything but prose blanked out: of the same length, in the same lines."""
    suffix = PurePath(name).suffix
    if suffix == ".md":
        return _without(_CODE, _without(_MARKDOWN_CODE, text))
    kept, end = [], 0
    for found in re.finditer(_PROSE[suffix], text, re.S):
        between = text[end : found.start()]
        # Parts of one string, and lines of one comment, have only white space between them.
        kept.append(between if not between.strip() else _blank(between, _NOT_PROSE))
        word = found[0]
        is_name = word[-1] in "\"'" and not re.search(r"\s", word)
        unmarked = _MARKERS.sub(lambda mark: " " * len(mark[0]), word)
        kept.append(_blank(word, _NOT_PROSE) if is_name else unmarked)
        end = found.end()
    return _without(_CODE, "".join(kept))


def faults(name: str, text: str) -> Iterator[str]:
    """What breaks the rules in a file, one line each."""
    words = prose(name, text)
    for rule, advice in rules().advice.items():
        for found in rule.finditer(words):
            number = words.count("\n", 0, found.end() - len(found[0].lstrip())) + 1
            yield f"{name}:{number}: “{' '.join(found[0].split())}”: {advice}"
    if PurePath(name).suffix == ".md":
        for number, line in enumerate(words.splitlines(), 1):
            is_prose = line.strip(_NOT_PROSE) and line[0] != "|" and " " in line.strip()
            if is_prose and len(line) > rules().columns:
                yield f"{name}:{number}: {len(line)} columns, at most {rules().columns}"
