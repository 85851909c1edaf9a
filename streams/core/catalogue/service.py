"""Service is owed: which customers of a wave are owed a message, and what that leaves to choose.

Actions of purpose `service` answer something that the customer did: a question, a return. Where at
least one of them is a candidate after rules, consent and contact rules, one is published, in every
experiment arm, and the choice is made among the service candidates alone. So `no_action` does not
compete with them, the control group gets them too, and neither a ramp nor exploration nor what
was learned can remove them. Marketing is decided where no service action is a candidate.

A response to service is learned like any other, because several service actions may be candidates
at one moment. It is no part of the comparison of arms, because every arm gets the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streams.core.arrays import Mask
from streams.core.catalogue.values import Action

# The fate of marketing, and of `no_action`, where a service action is published.
SERVICE_FIRST = "service:first"

Flags = NDArray[np.bool_]


def is_service(action: Action) -> bool:
    """Tell whether an action is owed to every customer it concerns."""
    return action.purpose == "service"


def is_owed(candidates: Mask, service: Flags) -> Flags:
    """Tell for which customers any of the service actions (a,) is a candidate, (n,)."""
    owed: Flags = np.any(candidates & service, axis=1)
    return owed


def competing_candidates(candidates: Mask, service: Flags) -> Mask:
    """Return the candidates that compete, (n, a): service alone if any is a candidate."""
    owed = is_owed(candidates, service)[:, None]
    left: Mask = np.where(owed, candidates & service, candidates)
    return left
