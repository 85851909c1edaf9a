"""Product families that a catalogue does not name: events with them count, but match no action."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from streams.feed.sent_event import Event, Sent

_SHOWN = 10


class UnknownFamilies:
    """Counts the families of events that are not in `known`."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = frozenset(known)
        self.counts: Counter[str] = Counter()

    def noted(self, events: Iterator[Sent]) -> Iterator[Sent]:
        """Yield the events unchanged, counting the unknown families of each."""
        for sent in events:
            self.counts.update(family for family in _families(sent[1]) if family not in self._known)
            yield sent

    def warning(self) -> str | None:
        """Return a sentence with the most frequent ones, None without any."""
        if not self.counts:
            return None
        shown = ", ".join(f"{name} ({count:,})" for name, count in self.counts.most_common(_SHOWN))
        more = f" and {len(self.counts) - _SHOWN:,} more" if len(self.counts) > _SHOWN else ""
        return (
            f"families that the catalogue does not name: {shown}{more}. Their events are stored, "
            "but no action is about them: add them to `families`, or change the query"
        )


def _families(event: Event) -> Iterator[str]:
    for part in (event, *(event.get("lines") or ())):
        if family := part.get("family"):
            yield family
