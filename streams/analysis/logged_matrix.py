"""Decision records as matrices: what rules and priorities need, on another catalogue's actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.protocol import lessons_behind
from schemas.records import Decision
from streams.core.arrays import Mask
from streams.core.catalogue.values import NO_ACTION, TIERS, Action, Catalogue, ContactCost
from streams.core.features.definitions import ACTION_FEATURES, CUSTOMER_FEATURES
from streams.core.features.wave import Floats
from streams.core.policy.funnel import CANDIDATE
from streams.core.policy.ramp import RAMP

CONTACT = "contact:"
_MARKETING, _PERSONAL = "eligibility:consent_marketing", "eligibility:consent_personalization"
# Records hold log1p as float32: a count comes back to within this share of itself.
_ROUNDING = 2e-6
# As `streams.core.arbitration.contact_cost` takes it for an unknown customer.
USUAL_REFUSALS = 0.005
_WIDTH = len(ACTION_FEATURES)
# Of what is not in the record: the way to a customer.
_ALWAYS_KEPT = {
    "contact:no_open_channel",
    "contact:awaiting_outcomes",
    "contact:customer_elsewhere",
}


class LoggedMatrix:
    """n decisions that name the same actions, seen on the a actions of another catalogue.

    `natural` are the features in natural units, customers' as (n,) and actions' as (n, a);
    `consents` per purpose (n,); `propensities` (n, a); `chosen` (n,) the place of what was chosen,
    -1 where it is gone.
    """

    def __init__(
        self, decisions: Sequence[Decision], old: Catalogue, actions: Sequence[Action]
    ) -> None:
        logged = decisions[0].actions
        places = {name: place for place, name in enumerate(logged)}
        purposes = {action.id: action.purpose for action in old.actions}
        self.moments = [decision.moment for decision in decisions]
        self.at_ms = [decision.decided_at_ms for decision in decisions]
        self.draws = np.array([decision.draw for decision in decisions])
        self.lessons = np.array([lessons_behind(d.model_version) for d in decisions], np.float64)
        self._exact = np.array([places.get(action.id, -1) for action in actions], np.intp)
        self._read_fates(decisions, logged, purposes)
        customer = natural_units(np.array([d.features for d in decisions], np.float64))
        rows = np.array([d.action_features for d in decisions], np.float64)
        action = natural_units(rows.reshape(len(decisions), len(logged) - 1, _WIDTH))
        stand_ins = _stand_ins(actions, old, places)
        self.natural: dict[str, Floats] = {
            f.name: customer[:, place] for place, f in enumerate(CUSTOMER_FEATURES)
        }
        for place, f in enumerate(ACTION_FEATURES):
            columns = [action[:, near, place].mean(axis=1) for near in stand_ins]
            self.natural[f.name] = np.stack(columns, axis=1)
        propensities = np.array([d.propensities for d in decisions], np.float64)
        self.propensities: Floats = np.stack(
            [propensities[:, near].mean(axis=1) for near in stand_ins], axis=1
        )
        self._silence = np.array([d.priorities[-1] for d in decisions])
        self._probabilities = np.array([d.probabilities for d in decisions], np.float64)
        new_place = {action.id: place for place, action in enumerate(actions)}
        new_place[NO_ACTION] = len(actions)
        self.chosen = np.array([new_place.get(d.chosen, -1) for d in decisions], np.intp)

    def _read_fates(
        self, decisions: Sequence[Decision], logged: Sequence[str], purposes: Mapping[str, str]
    ) -> None:
        numbers: dict[str, int] = {}
        fates = np.array(
            [[numbers.setdefault(f, len(numbers)) for f in d.fates[:-1]] for d in decisions],
            np.intp,
        )
        self.fate_names = tuple(numbers)
        self._fates = np.where(self._exact >= 0, fates[:, self._exact], -1)

        def anywhere(name: str) -> NDArray[np.bool_]:
            found: NDArray[np.bool_] = (fates == numbers.get(name, -1)).any(axis=1)
            return found

        # Who was asked by a marketing rule, or got past it, had consented; where nothing came so
        # far (another moment), consent is taken for given.
        self.consents = {
            "marketing": ~anywhere(_MARKETING),
            "personalization": ~anywhere(_PERSONAL),
            "service": np.ones(len(decisions), bool),
        }

    def has_fate(self, fate: str) -> Mask:
        """Tell which actions had a fate, (n, a); a new action had none."""
        cells: Mask = self._fates == self.fate_names.index(fate)
        return cells

    def silence_worth(self, old: ContactCost, new: ContactCost) -> Floats:
        """Return the priority of doing nothing under new prices, (n,).

        The risk of a refusal is in no feature; it is read off the recorded priority where that
        had a price, and else taken for the usual one.
        """
        if old == new:
            return self._silence
        contacts, ignored = self.natural["contacts_7d"], self.natural["ignored_in_a_row"]
        risk = np.full(len(contacts), USUAL_REFUSALS)
        if old.opt_out_cost > 0:
            known = old.priority + old.per_contact * contacts + old.per_ignored * ignored
            risk = (self._silence - known) / old.opt_out_cost
        worth: Floats = new.priority + new.per_contact * contacts + new.per_ignored * ignored
        return worth + new.opt_out_cost * risk

    def logged_probabilities(self) -> tuple[Floats, Floats]:
        """Return what was logged on the new actions, (n, a + 1), and what is gone, (n,)."""
        kept = np.where(self._exact >= 0, self._probabilities[:, self._exact], 0.0)
        both = np.concatenate([kept, self._probabilities[:, -1:]], axis=1)
        return both, self._probabilities.sum(axis=1) - both.sum(axis=1)


def natural_units(seen: Floats) -> Floats:
    """Return what features were before they became model input; whole numbers come back whole."""
    values = np.copysign(np.expm1(np.abs(seen)), seen)
    whole = np.rint(values)
    near = np.abs(values - whole) <= _ROUNDING * (1.0 + np.abs(values))
    return np.where(near, whole, values)


def _stand_ins(
    actions: Sequence[Action], old: Catalogue, places: Mapping[str, int]
) -> list[NDArray[np.intp]]:
    """Return for each action the logged ones to look through: itself, else its family, else all."""
    by_family: dict[str | None, list[int]] = {}
    for action in old.actions:
        if action.id in places:
            by_family.setdefault(action.family, []).append(places[action.id])
    everything = [place for name, place in places.items() if name != NO_ACTION]
    return [
        np.array([places[a.id]] if a.id in places else by_family.get(a.family, everything), np.intp)
        for a in actions
    ]


def is_late(fate: str) -> bool:
    """Tell whether a fate comes after consent and rules: contact, volume, slates and the like."""
    return fate != CANDIDATE and fate.partition(":")[0] not in TIERS


def keeps_fate(fate: str, old: Catalogue, new: Catalogue) -> bool:
    """Tell whether a drop for lateness holds under the new catalogue too."""
    if fate in _ALWAYS_KEPT:
        return True
    # No rule of the catalogue is behind a slate's fates: nothing equals nothing.
    return _late_rules(old).get(fate) == _late_rules(new).get(fate)


def rules_of(catalogue: Catalogue) -> dict[str, object]:
    """Return what decides, before any contact rule, whether each action is a candidate."""
    consent = tuple(sorted(catalogue.consent.items()))
    return {
        action.id: (
            action.purpose,
            action.moments,
            consent,
            tuple((rule.tier, rule.id, rule.text) for rule in action.rules),
        )
        for action in catalogue.actions
    }


def unasked_rules(old: Catalogue, new: Catalogue) -> list[str]:
    """Return the late rules that changed and cannot be asked again from a decision record."""
    limits = {f"{CONTACT}{limit.id}" for each in (old, new) for limit in each.contact.limits}
    before, after = _late_rules(old), _late_rules(new)
    return sorted(
        fate
        for fate in (before.keys() | after.keys()) - limits
        if before.get(fate) != after.get(fate)
    )


def _late_rules(catalogue: Catalogue) -> dict[str, object]:
    """Return the rules behind late fates, by fate."""
    contact = catalogue.contact
    found: dict[str, object] = {
        f"{CONTACT}quiet_hours": contact.quiet,
        f"{CONTACT}automated_in_a_row": contact.automated_in_a_row,
        f"{CONTACT}ticket": (contact.tickets, catalogue.timers.ticket_closes_ms),
        RAMP: catalogue.ramp,
    }
    found.update({f"{CONTACT}{limit.id}": limit for limit in contact.limits})
    found.update({f"{CONTACT}{rule.id}": rule for rule in contact.suppressions})
    found.update({f"{CONTACT}{rule.id}": rule for rule in contact.after_purchase})
    found.update({f"volume:{budget.id}": budget for budget in catalogue.budgets})
    return found
