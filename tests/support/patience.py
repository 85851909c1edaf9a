"""How long a test waits for what must happen.

A bound for what hangs, and no statement about speed: on a machine that eight other runs share, a
worker takes 45 s to be ready that takes 3 s alone. What passes never waits so long, so a higher
bound costs only a run that fails anyway.
"""

from __future__ import annotations

PATIENCE_S = 600.0
