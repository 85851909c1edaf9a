"""Invalid fields that were left out of an admitted event: counted, and logged sparingly.

The event has its effect, so it is no dead letter, but its sender makes a mistake. The metric says
how often, and the log names one record by partition and offset. No text of a customer is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from schemas.records import Origin
from streams.core.admission.opt_outs import Dropped
from streams.shell.telemetry.metrics import DROPPED_FIELDS, Metrics

log = logging.getLogger("concierge.intake")

# A sender usually repeats its mistake in every record.
LOG_AGAIN_AFTER_MS = 10 * 60_000


class DroppedFields:
    """Counts each; logs the first of a topic, field and reason, and then one in ten minutes.

    Fields and reasons are declared, so memory is bounded.
    """

    def __init__(self, metrics: Metrics, now_ms: Callable[[], int]) -> None:
        self._metrics = metrics
        self._now_ms = now_ms
        self._logged_ms: dict[tuple[str, Dropped], int] = {}

    def note(self, origin: Origin, dropped: Iterable[Dropped]) -> None:
        """Count the fields left out of the event at `origin`."""
        for each in dropped:
            self._metrics.add(DROPPED_FIELDS, 1, origin.topic, each.field, each.reason)
            now_ms = self._now_ms()
            logged_ms = self._logged_ms.get((origin.topic, each))
            if logged_ms is None or now_ms - logged_ms >= LOG_AGAIN_AFTER_MS:
                self._logged_ms[origin.topic, each] = now_ms
                log.warning(
                    "%s/%d offset %d was admitted without its %s (%s); more of these are only "
                    "counted, in %s. Correct the sender",
                    *(origin.topic, origin.partition, origin.offset),
                    *(each.field, each.reason, DROPPED_FIELDS.name),
                )
