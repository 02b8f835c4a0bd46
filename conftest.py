# SPDX-License-Identifier: GPL-2.0-only
"""What all tests have in common, and how workers of pytest-xdist share them."""

import pytest


@pytest.fixture(autouse=True)
def _piped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are as long as in a pipe, also where the runner of the tests sets a width."""
    monkeypatch.delenv("COLUMNS", raising=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Guests first, as they take longest. Tests of a file share what it booted or built; those that
    share a guest with another file name their group themselves."""
    items.sort(key=lambda item: item.get_closest_marker("guest") is None)
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
