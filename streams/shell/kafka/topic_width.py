"""The number of partitions of topics: that of the timeline, which can never be changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.topics import TIMELINE, Topic, as_wide_as
from streams.shell.exits import ConfigExit

WIDTH_IS_FIXED = (
    "The number of partitions of the timeline, and of the changelog of customers that must have as "
    "many, cannot be changed: it determines where a customer's records and state are."
)


class WidthIsFixed(ConfigExit):
    """The timeline exists with another number of partitions than requested."""


def check_width(topics: Sequence[Topic], found: Mapping[str, int]) -> None:
    """Raise `WidthIsFixed` if the timeline exists with another number of partitions.

    `found` are the numbers of partitions of the topics that exist, by name.
    """
    for topic in topics:
        there = found.get(topic.name, topic.partitions)
        if is_timeline(topic) and there != topic.partitions:
            raise WidthIsFixed(
                f"{topic.name} exists with {there} partitions, and not {topic.partitions}. "
                f"{WIDTH_IS_FIXED} Leave --partitions out to keep {there}; or start with a new "
                "CONCIERGE_APP_ID and CONCIERGE_TOPIC_PREFIX, and feed the history again"
            )


def as_wide_as_the_timeline(topics: Sequence[Topic], found: Mapping[str, int]) -> tuple[Topic, ...]:
    """Return the topics, as wide as the timeline if that exists already."""
    widths = [found[each.name] for each in topics if is_timeline(each) and each.name in found]
    return as_wide_as(topics, widths[0]) if widths else tuple(topics)


def is_timeline(topic: Topic) -> bool:
    """Return whether a topic is the timeline, with any prefix."""
    return topic.name.endswith(TIMELINE.name)
