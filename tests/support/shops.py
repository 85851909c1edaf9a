"""A small catalogue in which everything can happen, and scorers that tell customers apart."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.protocol import ActionKey, Evidence, Floats, Scorer, no_evidence
from streams.core.catalogue.loading import load_catalogue
from streams.core.catalogue.values import Catalogue
from streams.core.features.definitions import FEATURES
from streams.core.hashing import id_hash
from streams.core.moments import MOMENTS
from tests.support.memory import MemoryVersions

# Low gamma, so that every candidate is chosen now and then; short windows, so that limits bind
# and lessons settle within a short log.
SHOP = """
name: Small shop
currency: EUR
holdout_ratio: 0.2
exploration: {gamma: 2}
no_action: {priority: 0.02}
cool_down_seconds: 2
timers: {cart_left_minutes: 30, gone_quiet_days: 3}
consent: {marketing: opt_out, personalization: opt_out}
contact_limits:
  - {id: few_a_day, scope: overall, max_contacts: 6, window_days: 1}
  - {id: offers, scope: issue, name: discovery, max_contacts: 4, window_hours: 20}
  - {id: mails, scope: channel, name: email, max_contacts: 2, window_hours: 12}
  - {id: any_channel, scope: channel, max_contacts: 5, window_days: 1}
  - {id: per_family, scope: family, max_contacts: 3, window_hours: 12}
  - {id: not_again, scope: action, max_contacts: 2, window_hours: 2}
families: [tea, coffee]
issues:
  - id: discovery
    purpose: marketing
    reward: {outcomes: [click, accept], window_hours: 5}
    valid_hours: 1
    families:
      - each: all
        rules: {suitability: [not_disliked: family_preference >= 0]}
        actions:
          - id: show_{family}
            moments: [browsing, searching, order_placed, signed_up, gone_quiet]
            context: {searching: 1.5}
            value: 2
            treatments:
              - {id: shelf, channel: web, message: "Our {family}?"}
              - {id: letter, channel: email, message: "This week: {family}"}
  - id: loyalty
    purpose: marketing
    reward: {outcomes: [accept], family_purchase: true, window_hours: 20}
    valid_hours: 2
    families:
      - id: tea
        rules: {eligibility: [no_trouble: open_tickets == 0]}
        actions:
          - id: tea_again
            moments: [replenishment_due, cart_left, gone_quiet, browsing, refunded]
            value: 3
            treatments:
              - {id: letter, channel: email, message: Tea again}
              - {id: text, channel: sms, message: Tea}
              - {id: shelf, channel: app, message: More tea}
  - id: service
    purpose: service
    reward: {outcomes: [accept, impression], window_hours: 8}
    valid_hours: 2
    actions:
      - id: answer
        moments: [ticket_opened, ticket_resolved, refunded, cart_left]
        value: 2
        treatments:
          - {id: call, channel: call_center, message: Call them}
          - {id: note, channel: app, message: We are on it}
"""
# The same shop on another day: other values, another rule, no held-out customers.
SHOP_TOMORROW = (
    SHOP.replace("holdout_ratio: 0.2", "holdout_ratio: 0")
    .replace("value: 3", "value: 1")
    .replace("family_preference >= 0", "family_preference > -0.5 and views_1d < 6")
)
# The same shop, remembering more than one customer or one moment: budgets, slates, moments that
# wait for quiet hours to end, actions that rest.
SHOP_BUSY = (
    SHOP
    + """
budgets:
  - {id: calls, scope: channel, name: call_center, per_day: 3}
  - {id: shelves, scope: channel, name: web, per_day: 6}
slates: {browsing: 2, searching: 2}
quiet_hours: {from: "18:00", until: "09:00", then: wait}
suppression:
  - {id: had_enough, scope: family, after: rejected, times: 1, for_hours: 6}
  - {id: gave_up, scope: action, after: ignored, times: 2, for_days: 1}
"""
)


def load(text: str = SHOP) -> Catalogue:
    """Return the catalogue of a YAML text."""
    return load_catalogue(text, "shop.yaml", FEATURES, MOMENTS)


class LeaningScorer:
    """Scores by made-up weights: other customers and versions get other propensities."""

    def __init__(self, version: str, actions: Sequence[ActionKey]) -> None:
        self.version = version
        self.evidence: Evidence = no_evidence(len(actions))
        self._seeds = [id_hash(f"{version}/{key.action}") % 2**32 for key in actions]

    def propensities(self, customer: Floats, action: Floats) -> Floats:
        """Return P(reward), shape (n, a)."""
        # Whatever the width of the wave, the same bits: no BLAS, and rounded.
        columns = [
            np.concatenate([customer, action[:, place]], axis=1) for place in range(action.shape[1])
        ]
        pushes = np.stack(
            [
                np.einsum("nf,f->n", column, self._drawn(place, column.shape[1]))
                for place, column in enumerate(columns)
            ],
            axis=1,
        )
        propensities: Floats = np.rint(2.0**20 / (1 + np.exp(2 - pushes))) / 2.0**20
        return propensities

    def contributions(self, features: Floats, actions: NDArray[np.intp]) -> Floats:
        """Return each feature's push, shape (m, c + k)."""
        width = features.shape[1]
        drawn = [self._drawn(action, width) for action in actions.tolist()]
        return features * np.array(drawn).reshape(-1, width)

    def _drawn(self, action: int, width: int) -> NDArray[np.float64]:
        return _weights(self._seeds[action], width)


@lru_cache(maxsize=4_096)
def _weights(seed: int, width: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(-0.1, 0.1, width)


class LeaningVersions(MemoryVersions):
    """Any model version exists, and each leans elsewhere."""

    def scorer(self, model: str, version: str | None, actions: Sequence[ActionKey]) -> Scorer:
        """Return the scorer of a version."""
        if version is None:
            return super().scorer(model, version, actions)
        return LeaningScorer(version, actions)
