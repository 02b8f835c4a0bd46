# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost report`: results as a page that stands alone, and as Markdown with pictures.

data.py parts the results by what their figures are, summary.py says in words what they show,
pictures.py draws them, code.py finds the instructions that were measured; html.py and markdown.py
write what these have found and know nothing of results themselves.
"""
