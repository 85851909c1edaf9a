"""Explanations: why a customer gets an action, in words they may read.

Only features that have a phrase, are not sensitive and raised the propensity are named. Nothing is
said that the customer neither stated nor did where we could see it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streams.core.catalogue.values import Action, fill
from streams.core.features.definitions import FEATURE_NAMES, FEATURES

# A why longer than this is not read.
MOST_REASONS = 2
# A smaller shift of the log-odds is not named.
LEAST_PUSH = 0.05


class Reasons:
    """Finds the why of an action in the phrases of one catalogue, by moment and feature."""

    def __init__(self, phrases: Mapping[str, str]) -> None:
        self._phrases = phrases
        self._readable = tuple(
            (place, phrases[name])
            for place, name in enumerate(FEATURE_NAMES)
            if name in phrases and not FEATURES[name].sensitive
        )

    def of(
        self, action: Action, moment: str, features: Sequence[float], pushes: Sequence[float]
    ) -> list[str]:
        """Return the why: the catalogue's sentence or the moment, then what counted most.

        `features` is the model's input for this action and `pushes` each feature's share of the
        log-odds, both (c + k,). A feature at 0 (nothing known) is never a reason.
        """
        counted = sorted(
            (-pushes[place], place, phrase)
            for place, phrase in self._readable
            if features[place] > 0 and pushes[place] >= LEAST_PUSH
        )
        said = [action.why or self._phrases[moment]]
        for _, _, phrase in counted:
            if "{family}" in phrase and action.family is None:
                continue
            words = fill(phrase, action.family_name)
            if words in said:
                continue
            said.append(words)
            if len(said) > MOST_REASONS:
                break
        return said
