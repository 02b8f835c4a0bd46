# SPDX-License-Identifier: GPL-2.0-only
"""The page: one HTML file that loads nothing, whatever the results hold.

All text goes through the template's escaping; only pictures do not, whose text the drawing library
and pictures.py have escaped. Should that ever fail, the policy in the page's head allows no script
but this one, by its hash, and no request at all.
"""

import base64
import hashlib
from pathlib import Path

import jinja2
import markupsafe

from irqcost.output.page.document import Document
from irqcost.output.page.method import METHOD
from irqcost.output.page.summary import Code

_HERE = Path(__file__).parent


def text(document: Document) -> str:
    """The whole page."""
    style, script = (
        (_HERE / name).read_text(encoding="utf-8") for name in ("style.css", "script.js")
    )
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["code"] = lambda piece: isinstance(piece, Code)
    return environment.get_template("page.html.j2").render(
        document=document,
        method=METHOD,
        style=markupsafe.Markup(style),
        script=markupsafe.Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        drawing=markupsafe.Markup,
    )
