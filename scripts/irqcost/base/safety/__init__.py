# SPDX-License-Identifier: GPL-2.0-only
"""What keeps others' folders, files, texts and signals from doing harm: docs/SECURITY.md."""
