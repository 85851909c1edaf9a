"""What pytest must not import: programs for an environment that has Quix Streams in it."""

from __future__ import annotations

collect_ignore_glob = ["*quix*"]
