# SPDX-License-Identifier: GPL-2.0-only
"""The page: one HTML file that loads nothing, whatever the results hold.

All text goes through the template's escaping; only pictures do not, whose text the drawing library
and pictures.py have escaped. Should that ever fail, the policy in the page's head allows no script
but this one, by its hash, and no request at all.
"""

import base64
import hashlib
from pathlib import Path
from typing import Any

from irqcost.output.page.article import Article
from irqcost.output.page.method import METHOD
from irqcost.output.page.words import Code

_HERE = Path(__file__).parent


def text(article: Article, image: str = "") -> str:
    """The whole page; `image` is where one finds the picture of those who show a link to it."""
    return rendered("article.html.j2", **values(article), image=image, address="")


def values(article: Article) -> dict[str, Any]:
    """What the template of an article is given."""
    head = {"headline": article.headline, "description": article.description}
    return {"article": article, "method": METHOD, **head}


def rendered(template: str, folder: Path = _HERE, **values: Any) -> str:
    """A template of a folder, which may build upon those here, with their style and script."""
    # Here, so that help and completion of all commands do without the package.
    import jinja2
    import markupsafe

    style, script = (
        (_HERE / name).read_text(encoding="utf-8") for name in ("style.css", "script.js")
    )
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, _HERE]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["code"] = lambda piece: isinstance(piece, Code)
    return environment.get_template(template).render(
        style=markupsafe.Markup(style),
        script=markupsafe.Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        drawing=markupsafe.Markup,
        **values,
    )
