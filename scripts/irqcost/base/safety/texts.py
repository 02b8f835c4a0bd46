# SPDX-License-Identifier: GPL-2.0-only
"""Texts and paths that may be anybody's, as they are shown: one function makes them plain, and one
for each format makes them nothing but text there.

What moves a terminal's cursor, what a CI server takes for a command (`::error`, `##[`), what a
spreadsheet takes for a formula and what is markup is in files of results, and in their names.
"""

import os
import re
from pathlib import PurePath

# Stands for what cannot be shown.
_REPLACEMENT = "\ufffd"

# How CI servers' logs know commands: at the beginning of a line, which may be anywhere in a text
# that is wrapped, or within one.
_COMMANDS = re.compile("::|##")


def is_plain(text: str) -> bool:
    """Whether plain() leaves a text as it is."""
    return text.isprintable() and "::" not in text and "##" not in text


def plain(text: str | PurePath) -> str:
    """A text or path in one line, as it may be shown anywhere: a file must not move a terminal's
    cursor nor command a CI server, and half a character cannot be written."""
    words = os.fspath(text)
    if is_plain(words):
        return words
    visible = "".join(map(_visible, words))
    return _COMMANDS.sub(lambda found: found[0][0] + _REPLACEMENT, visible)


def _visible(letter: str) -> str:
    if letter.isprintable():
        return letter
    return " " if letter in "\t\u00a0\u202f\u3000" else _REPLACEMENT


_MARKUP = str.maketrans(
    {letter: f"\\{letter}" for letter in "\\`*_[]|#~"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
)

# What begins a list, a rule or the line under a heading.
_BLOCK = re.compile(r"^ *(?:[-+=]|[0-9]+(?=[.)](?:\s|$)))")


def markdown(text: str | PurePath) -> str:
    """A text in Markdown."""
    words = plain(text)
    begin = _BLOCK.match(words)
    if not begin:
        return words.translate(_MARKUP)
    at = begin.end() - (not begin[0][-1:].isdigit())
    return f"{words[:at]}\\{words[at:].translate(_MARKUP)}"


def code(text: str | PurePath) -> str:
    """A text in Markdown as code, unless it could end the code or the cell of a table."""
    words = plain(text)
    return markdown(words) if set("`|<>") & set(words) else f"`{words}`"


def csv_cell(value: object) -> str:
    """A value in CSV; nothing for None. A spreadsheet takes a text that begins so for a formula."""
    if value is None:
        return ""
    if isinstance(value, (bool, int, float)):
        return str(value)
    text = plain(value if isinstance(value, PurePath) else str(value))
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


# What XML 1.0 has no way to write.
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml(text: str) -> str:
    """A text in XML, whose writer escapes the rest."""
    return _NOT_IN_XML.sub(_REPLACEMENT, text)


def command_value(text: str) -> str:
    """The message of a workflow command of GitHub, as its toolkit escapes them."""
    visible = "".join(letter if letter in "\r\n" else _visible(letter) for letter in text)
    return visible.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def command_property(text: str) -> str:
    """A property of a workflow command of GitHub, such as its title."""
    return command_value(text).replace(":", "%3A").replace(",", "%2C")
