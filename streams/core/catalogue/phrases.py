"""Phrases: the words in which a customer reads why they see an action.

A catalogue gives them in its own words and language, by the name of the moment or feature; these
are the defaults. They are neutral on purpose: a viewer, a reader or a patient "left something
unfinished" where a shop would say "in your cart". In a phrase of a feature, `{family}` is the name
of the action's family; an action without a family leaves such a phrase out.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

MOMENT_PHRASES: Mapping[str, str] = MappingProxyType(
    {
        "browsing": "you were looking around just now",
        "searching": "you were looking for something just now",
        "cart_left": "you left something unfinished",
        "order_placed": "you placed an order",
        "refunded": "something was taken back or refunded",
        "ticket_opened": "you asked us for help",
        "ticket_resolved": "your question to us was answered",
        "signed_up": "you joined us",
        "gone_quiet": "we have not seen you for a while",
        "replenishment_due": "about this time you usually order again",
    }
)
# A feature without a phrase is never named to a customer.
FEATURE_PHRASES: Mapping[str, str] = MappingProxyType(
    {
        "orders_30d": "you order from us often",
        "searches_1d": "you searched for something lately",
        "cart_items": "something you chose is waiting for you",
        "usual_due": "about this time you usually order again",
        "family_interest": "you looked at {family} lately",
        "family_share": "{family} is among what you look at most here",
        "family_orders_30d": "you chose {family} before",
        "family_due": "about this time you usually order {family} again",
        "family_preference": "you told us that you like {family}",
    }
)
DEFAULT_PHRASES: Mapping[str, str] = MappingProxyType({**MOMENT_PHRASES, **FEATURE_PHRASES})
