"""Which release, catalogue and model a worker works with, as the labels of one metric.

The versions are those of the newest decision made here. A switch record names the version to use, a
decision the version that was used (an older model replaces a damaged one). Before the first
decision, and in a process without decide, both are empty. Only the current series is exposed, so
their number does not grow with the versions.
"""

from __future__ import annotations

from collections.abc import Sequence

from schemas.decisions import Decision
from streams.shell.telemetry.metrics import BUILD_INFO, Metrics


class BuildInfo:
    """Keeps the one series of `concierge_build_info`."""

    def __init__(self, metrics: Metrics, version: str) -> None:
        self._metrics = metrics
        self._labels = (version, "", "")
        metrics.set(BUILD_INFO, 1, *self._labels)

    def see(self, decisions: Sequence[Decision]) -> None:
        """Show the versions of the last of these decisions."""
        if not decisions:
            return
        newest = decisions[-1]
        labels = (self._labels[0], newest.catalogue_version, newest.model_version)
        if labels != self._labels:
            # The new series comes first: a scrape in between sees both rather than none.
            self._metrics.set(BUILD_INFO, 1, *labels)
            self._metrics.remove(BUILD_INFO, *self._labels)
            self._labels = labels
