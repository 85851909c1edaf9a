"""Contact cost: the priority of `no_action`, which competes with every marketing action."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streams.core.catalogue.values import ContactCost
from streams.core.features.wave import Wave

Floats = NDArray[np.float64]

# What is taken for a customer's rate of refusals before they had the chance to refuse: one in
# two hundred, with the weight of ten impressions.
_USUAL_REFUSALS = 0.005
_WEIGHT = 10.0


def no_action_priority(
    wave: Wave, contacts_7d: Floats, ignored: Floats, price: ContactCost
) -> Floats:
    """Return the priority of doing nothing for each customer, shape (n,), in units of value.

    A base, and what each recent contact, each action ignored in a row and the risk of a refusal
    add to it; `contacts_7d` and `ignored` are counts, (n,).
    """
    refused = wave.decayed("rejects", "30d") + _USUAL_REFUSALS * _WEIGHT
    shown = np.maximum(wave.decayed("impressions", "30d"), wave.decayed("rejects", "30d"))
    worth: Floats = (
        price.priority
        + price.per_contact * contacts_7d
        + price.per_ignored * ignored
        + price.opt_out_cost * refused / (shown + _WEIGHT)
    )
    return worth
