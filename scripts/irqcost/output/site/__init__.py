# SPDX-License-Identifier: GPL-2.0-only
"""`irqcost site`: results as a static site, as GitHub Pages serves it.

machines.py finds the CPUs in folders of results, pages.py says what each page shows, build.py
writes the site. Pages of CPUs are those of output/page.
"""
