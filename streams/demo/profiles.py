"""Simulated explicit data: signing up, consent, stated preferences, zone and quiet hours."""

from __future__ import annotations

from random import Random

from streams.demo.event_builders import profile
from streams.demo.tastes import Tastes
from streams.feed.sent_event import Event, Sent

_ZONES = {
    "United Kingdom": "Europe/London",
    "EIRE": "Europe/Dublin",
    "Germany": "Europe/Berlin",
    "France": "Europe/Paris",
    "Spain": "Europe/Madrid",
    "Netherlands": "Europe/Amsterdam",
    "Belgium": "Europe/Brussels",
    "Switzerland": "Europe/Zurich",
    "Portugal": "Europe/Lisbon",
    "Australia": "Australia/Sydney",
    "Norway": "Europe/Oslo",
    "Italy": "Europe/Rome",
    "Finland": "Europe/Helsinki",
    "Japan": "Asia/Tokyo",
    "USA": "America/New_York",
}
_CONSENT_SHARES = {"personalization": 0.93, "marketing": 0.85}
_STATES_LIKING_SHARE = 0.7
_STATES_DISLIKE_SHARE = 0.3
_QUIET_HOURS_SHARE = 0.15


def sign_up(customer: str, country: str, tastes: Tastes, at_ms: int, rng: Random) -> list[Sent]:
    """Return what a new customer tells us in their first minutes."""
    told: list[Event] = []

    def tell(kind: str, **answer: object) -> None:
        number = len(told)
        event_id = f"sim-profile-{customer}-{number}"
        told.append(profile(event_id, customer, at_ms + 5_000 * number, kind, **answer))

    # Consent first: the signing up itself may already be answered by an action.
    for purpose, share in _CONSENT_SHARES.items():
        tell("consent", purpose=purpose, granted=rng.random() < share)
    zone = _ZONES.get(country, "Europe/London")
    if rng.random() < _QUIET_HOURS_SHARE:
        quiet = {"quiet_from_minute": 22 * 60, "quiet_until_minute": 7 * 60}
        tell("contact_setting", time_zone=zone, **quiet)
    else:
        tell("contact_setting", time_zone=zone)
    liked = sorted(tastes.families, key=lambda family: -tastes.families[family])
    if rng.random() < _STATES_LIKING_SHARE:
        for family in liked[: rng.randint(1, 2)]:
            tell("preference", subject=family, weight=_stated(tastes.families[family]))
    if rng.random() < _STATES_DISLIKE_SHARE:
        tell("preference", subject=liked[-1], weight=_stated(tastes.families[liked[-1]]))
    tell("signed_up")
    return [("profile", event) for event in told]


def _stated(taste: float) -> float:
    """Return a taste as a customer would rate it on a scale of -1 .. 1, in quarters."""
    return max(-1.0, min(1.0, round(taste * 2) / 4))
