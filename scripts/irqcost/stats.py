# SPDX-License-Identifier: GPL-2.0-only
"""Pure functions of figures: numbers in, numbers out."""


def ratio(value: float, base: float, base_spread: float) -> float | None:
    """How many times `base` a value is.

    None where the base does not stand out from zero by more than its own spread: a ratio to it
    would be one of noise.
    """
    if base <= 0 or base <= base_spread:
        return None
    return value / base
