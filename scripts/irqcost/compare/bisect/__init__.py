# SPDX-License-Identifier: GPL-2.0-only
"""Which commit changed an instruction count."""
