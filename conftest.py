# SPDX-License-Identifier: GPL-2.0-only
"""How workers of pytest-xdist share the tests: those of a file stay together."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Guests first, as they take longest. Tests of a file share what it booted or built; those that
    share a guest with another file name their group themselves."""
    items.sort(key=lambda item: item.get_closest_marker("guest") is None)
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
