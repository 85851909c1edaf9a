"""What an action consists of: reward, context weights and treatments."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.symbols import CHANNELS, OUTCOME_KINDS
from streams.core.catalogue.loading.templates import checked_message
from streams.core.catalogue.values import DEFAULT_ROWS, ITEMS, Reward, Treatment
from streams.core.state.layout import (
    MAX_PRODUCTS,
)
from streams.core.units import (
    DAY_MS,
    MINUTE_MS,
)
from streams.core.yaml_file.durations import durations
from streams.core.yaml_file.typed_node import Section, TypedNode

MAX_WEIGHT = 1_000.0
MAX_VALUE = 1_000_000.0
YEAR_MS = 366 * DAY_MS

# A no of the customer is never a success.
REWARDABLE = tuple(
    kind for kind in OUTCOME_KINDS if kind not in ("reject", "objection", "unsubscribe")
)
# "other" is what an event says of a channel we cannot name, so nothing can be sent there.
TREATMENT_CHANNELS = tuple(channel for channel in CHANNELS if channel != "other")


def read_reward(place: TypedNode) -> Reward | None:
    """Return the reward here: what counts as success, and within which window."""
    section = place.section(("outcomes", "family_purchase", "subscription", *durations("window")))
    if section is None:
        return None
    outcomes_place, purchase_place = section.get("outcomes"), section.get("family_purchase")
    outcomes = outcomes_place.words(REWARDABLE, "outcome for a reward") if outcomes_place else ()
    purchase = purchase_place.flag() if purchase_place else False
    subscription = section.flag("subscription", False)
    if outcomes == () and purchase is False and not subscription:
        place.wrong(
            "nothing is rewarded; list `outcomes` (for example [accept]), or write"
            " `family_purchase: true` or `subscription: true`"
        )
    window_ms = section.duration_ms("window", MINUTE_MS, YEAR_MS)
    if window_ms is None:
        section.need("window_days", "7")
    return Reward(frozenset(outcomes or ()), bool(purchase), window_ms or DAY_MS, subscription)


def read_context(place: TypedNode | None, moments: tuple[str, ...]) -> Mapping[str, float]:
    """Return the weights given to some of the action's moments."""
    context: dict[str, float] = {}
    for moment, entry in ((place.entries() if place else None) or {}).items():
        weight = entry.number(0.0, MAX_WEIGHT)
        if moment not in moments:
            entry.wrong(f"`{moment}` is not among the action's moments, so its weight has no use")
        if weight is not None:
            context[moment] = weight
    return context


def read_treatments(section: Section, family_name: str | None) -> tuple[Treatment, ...]:
    """Return the treatments of an action, in the order of the file: the first open one is used."""
    place = section.need("treatments", "[{id: banner, channel: web, message: Hello}]")
    items = place.items() if place else None
    if place and items == []:
        place.wrong("no treatment, so the action could not be carried out")
    treatments: dict[str, Treatment] = {}
    for item in items or ():
        entry = item.section(("id", "channel", "message", "items"))
        if entry is None:
            continue
        id_place = entry.need("id", "banner")
        channel_place = entry.need("channel", "web")
        message_place = entry.need("message", "Something for you")
        treatment_id = id_place.identifier() if id_place else None
        channel = channel_place.word(TREATMENT_CHANNELS, "channel") if channel_place else None
        message = checked_message(message_place, family_name) if message_place else None
        items_place = entry.get("items")
        products, rows = _items(items_place) if items_place else (None, DEFAULT_ROWS)
        if id_place and treatment_id in treatments:
            id_place.wrong(f"treatment `{treatment_id}` is here twice")
        if treatment_id:
            treatments[treatment_id] = Treatment(
                treatment_id, channel or "", message or "", products, rows
            )
    return tuple(treatments.values())


def _items(place: TypedNode) -> tuple[str | None, int]:
    """Return where a treatment's products come from and how many there are at most.

    `items: usual` is short for `items: {from: usual}`.
    """
    if not place.is_mapping:
        return place.word(ITEMS, "kind of items"), DEFAULT_ROWS
    section = place.section(("from", "rows"))
    if section is None:
        return None, DEFAULT_ROWS
    source, rows = section.need("from", "usual"), section.get("rows")
    most = rows.whole(1, MAX_PRODUCTS) if rows else None
    return source.word(ITEMS, "kind of items") if source else None, most or DEFAULT_ROWS
