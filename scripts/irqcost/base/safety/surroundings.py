# SPDX-License-Identifier: GPL-2.0-only
"""Libraries that look around where they are loaded: what lies in the current folder may be
anybody's, and is not for them."""

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType


@contextmanager
def nothing_around() -> Iterator[None]:
    """For the import of such a library: the current folder is meanwhile one of this package."""
    here = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.chdir(Path(__file__).parent)
        yield
    finally:
        os.fchdir(here)
        os.close(here)


def load_apart(name: str, then: Callable[[ModuleType], object]) -> None:
    """Has a library loaded so whenever, and wherever, it is imported first; `then` is done to it
    before anybody has it."""
    if name not in sys.modules:
        sys.meta_path.insert(0, _Finder(name, then))


class _Finder(MetaPathFinder):
    """Finds one module as it would be found without, and changes how it is loaded."""

    def __init__(self, name: str, then: Callable[[ModuleType], object]) -> None:
        self._name = name
        self._then = then

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_apart_(module: ModuleType) -> None:
                with nothing_around():
                    load(module)
                self._then(module)

            setattr(spec.loader, "exec_module", load_apart_)
        return spec
