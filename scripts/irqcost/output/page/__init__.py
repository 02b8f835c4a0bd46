# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost report`: an article about results, as a page that stands alone and as Markdown.

data.py parts the results by kind, sections.py says in words what they show, pictures.py draws
them, article.py puts it together; html.py and markdown.py write that and know nothing of results.
"""
