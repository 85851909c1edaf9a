"""What else could have been published: the candidates of a decision, as actions.

The demo compares the published action with a uniformly random candidate for the same customer at
the same moment. Only a simulator can: it knows the chance of every answer, given or not.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from schemas.records import Decision, NextBestAction
from streams.core.catalogue.values import NO_ACTION, Action


def candidates_of(
    published: NextBestAction, decision: Decision, actions: Mapping[str, Action]
) -> list[NextBestAction]:
    """Return every action that was a candidate, as if it had been published instead.

    `actions` is the catalogue's, by id. Each takes the channel of the published one, where the
    customer is, or else that of its first treatment; doing nothing is left out.
    """
    found = []
    for name, fate in zip(decision.actions, decision.fates, strict=True):
        if fate != "candidate" or name == NO_ACTION:
            continue
        if name == published.action:
            found.append(published)
            continue
        action = actions[name]
        channels = [treatment.channel for treatment in action.treatments]
        same = published.channel in channels
        found.append(
            msgspec.structs.replace(
                published,
                action=name,
                issue=action.issue,
                family=action.family,
                channel=published.channel if same else channels[0],
            )
        )
    return found
