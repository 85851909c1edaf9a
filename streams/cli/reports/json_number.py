"""Numbers for JSON, which has no infinity and no NaN."""

from __future__ import annotations

import math


def finite_or_none(number: float) -> float | None:
    """Return the number, or None (null) if it is infinite or not a number."""
    return number if math.isfinite(number) else None
