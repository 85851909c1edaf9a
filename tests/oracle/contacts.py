"""Contact limits counted from what was decided: by time, channel and scope, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.oracle.evidence import Contact, Evidence, shop
from tests.oracle.sums import HOUR_MS


def limits_exceeded(evidence: Evidence) -> list[str]:
    """Return every action that was one too many when it came out."""
    purposes = {issue["id"]: issue["purpose"] for issue in shop()["issues"]}
    return [
        f"{customer}: {action.action} of {action.decided_at_ms} is number {count + 1} of "
        f"limit {limit['id']} ({limit['max_contacts']})"
        for customer, actions in evidence.contacts.items()
        for place, action in enumerate(actions)
        for limit in shop()["contact_limits"]
        if purposes[action.issue] != "service" or _names(limit)
        for count in [
            sum(
                _counts(earlier, action, limit)
                for earlier in _remembered(evidence, customer, actions[:place], action)
            )
        ]
        if count >= limit["max_contacts"]
    ]


def _names(limit: dict[str, Any]) -> bool:
    """Tell whether a limit names an action or an issue: only then it may hold for service."""
    return "name" in limit and limit["scope"] in ("action", "issue")


def _remembered(
    evidence: Evidence, customer: str, actions: list[Contact], now: Contact
) -> Iterator[Contact]:
    """Yield the actions that were not forgotten in between, as the customer had asked."""
    asked = [e["at"] for e in evidence.events[customer] if e["kind"] == "erasure"]
    for action in actions:
        if not any(action.decided_at_ms <= at_ms < now.decided_at_ms for at_ms in asked):
            yield action


def _counts(earlier: Contact, action: Contact, limit: dict[str, Any]) -> bool:
    window_ms = (limit.get("window_days", 0) * 24 + limit.get("window_hours", 0)) * HOUR_MS
    if earlier.decided_at_ms <= action.decided_at_ms - window_ms:
        return False
    if limit["scope"] == "overall":
        return True
    mine = getattr(action, limit["scope"])
    named = limit.get("name", mine)
    return mine is not None and mine == named and getattr(earlier, limit["scope"]) == mine
