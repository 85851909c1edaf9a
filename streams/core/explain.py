"""Explanations: why somebody sees an action, in words they may read.

Only features that carry a customer phrase, are not sensitive and spoke *for* the action are
named; what a customer neither told us nor saw us see stays out.
"""

from __future__ import annotations

from collections.abc import Sequence

from streams.core.catalogue import Action, fill
from streams.core.features import FEATURE_NAMES, FEATURES
from streams.core.moments import MOMENTS

# A why longer than this is not read.
MOST_REASONS = 2
# A push on the log-odds below this made no difference worth naming.
LEAST_PUSH = 0.05

_READABLE = tuple(
    place
    for place, name in enumerate(FEATURE_NAMES)
    if FEATURES[name].phrase is not None and not FEATURES[name].sensitive
)


def reasons(
    action: Action, moment: str, features: Sequence[float], pushes: Sequence[float]
) -> list[str]:
    """Return the why: the catalogue's sentence or the moment, then what counted most.

    `features` is the model's input for this action and `pushes` each one's share of the
    log-odds, both (c + k,). A feature at 0 (nothing known) is never a reason.
    """
    first = action.why or MOMENTS[moment]
    counted = sorted(
        (place for place in _READABLE if features[place] > 0 and pushes[place] >= LEAST_PUSH),
        key=lambda place: (-pushes[place], place),
    )
    phrases = [first]
    for place in counted:
        phrase = FEATURES[FEATURE_NAMES[place]].phrase or ""
        if "{family}" in phrase and action.family is None:
            continue
        phrase = fill(phrase, action.family_name)
        if phrase in phrases:
            continue
        phrases.append(phrase)
        if len(phrases) > MOST_REASONS:
            break
    return phrases
