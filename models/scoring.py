"""Frozen weights that score a wave of customers in numpy, equal to River within 1e-9.

Every sum runs over one contiguous axis in `einsum`, which (unlike BLAS) adds in an order that does
not depend on how many customers are scored together: any wave size gives the same bits, even
before quantising. It costs 0.6 us more a customer of 20 actions than BLAS does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.backoff import LEVELS, mixture, path_of
from models.protocol import ActionKey, Evidence, Floats, Scorer, no_evidence
from models.snapshot.snapshot_record import Snapshot, SnapshotError, unpack

# Far finer than any propensity is known; coarse enough to hide the last bits in which two
# processors' exponentials may differ, so that a replay elsewhere draws and logs the same.
QUANTA = 2.0**20
# Below these log-odds a propensity is 0 to 17 digits, and exp stays far from overflow.
LEAST_LOG_ODDS = -40.0
# A feature so far from its mean has said all it can; no sum of such can overflow and cancel.
MOST_DEVIATIONS = 1e12
# Numbers in a block's widest array: 1 MiB, about a core's second-level cache.
BLOCK_NUMBERS = 131_072


def quantise(propensities: Floats) -> Floats:
    """Return the propensities rounded to the nearest 2^-20.

    >>> quantise(np.array([0.05])).tolist()
    [0.05000019073486328]
    """
    return np.rint(propensities * QUANTA) / QUANTA


class _Halves(NamedTuple):
    """The weights parted: of the customer's columns per pipeline, of the action's per action."""

    customer_columns: int
    shared: Floats
    own: Floats


class LinearScorer:
    """Scores a fixed list of actions with the weights of one snapshot.

    Weights are kept once per pipeline and looked up by each action, so a thousand actions of 45
    features take half a megabyte.

    >>> from models.learning.bank import Bank
    >>> from models.learning.capture import take
    >>> bank = Bank("offers", "v1", ["visits", "price"], prior=0.25)
    >>> scorer = LinearScorer(take(bank), [ActionKey("gold_card", "cards", "sell")])
    >>> scorer.propensities(np.array([[3.0]]), np.array([[[10.0]]])).tolist()
    [[0.25]]
    """

    def __init__(self, snapshot: Snapshot, actions: Sequence[ActionKey]) -> None:
        self.actions = tuple(actions)
        self.feature_version = snapshot.feature_version
        self.feature_names = tuple(snapshot.feature_names)
        self._version = snapshot.version
        self._prior = snapshot.prior
        self._calibration = snapshot.calibration
        self._means = unpack(snapshot.scaler_means)
        variances = unpack(snapshot.scaler_variances)
        # A column that never varied says nothing: anything over infinity is 0, as in River.
        self._deviations = np.where(variances > 0.0, np.sqrt(variances), np.inf)
        width = len(self.feature_names)
        # Row 0 is for pipelines that do not exist; its share is always 0.
        self._weights = np.zeros((len(snapshot.pipelines) + 1, width))
        self._intercepts = np.zeros(len(snapshot.pipelines) + 1)
        for row, state in enumerate(snapshot.pipelines, start=1):
            self._weights[row] = unpack(state.weights)
            self._intercepts[row] = state.intercept
        rows = {state.key: row for row, state in enumerate(snapshot.pipelines, start=1)}
        lessons = [0, *(state.lessons for state in snapshot.pipelines)]
        paths = [[rows.get(k, 0) if k else 0 for k in path_of(a)] for a in self.actions]
        shares = [mixture([lessons[row] for row in path]) for path in paths]
        self._paths: NDArray[np.intp] = np.array(paths, dtype=np.intp).reshape(-1, len(LEVELS))
        self._shares = np.array(shares, dtype=np.float64).reshape(-1, len(LEVELS) + 1)
        # Each action's weights, averaged over its levels by their shares, shape (a, c + k).
        self._blended = np.einsum("al,alf->af", self._shares[:, :-1], self._weights[self._paths])
        self._used, used_at = np.unique(self._paths, return_inverse=True)
        # By level, (levels, a), like what is computed for each of them.
        self._used_at = np.ascontiguousarray(used_at.reshape(self._paths.shape).T)
        self._used_intercepts = self._intercepts[self._used]
        self._level_shares = np.ascontiguousarray(self._shares[:, :-1].T)
        self._of_prior = self._shares[:, -1] * self._prior
        self._evidence = _evidence_of(snapshot, self.actions, self._shares)
        # Made at the first wave, which tells where the action's columns begin.
        self._halves: _Halves | None = None

    @property
    def version(self) -> str:
        """The version of the snapshot the weights came from."""
        return self._version

    @property
    def evidence(self) -> Evidence:
        """How much the snapshot has learned of the actions; see `models.protocol.Evidence`."""
        return self._evidence

    def propensities(self, customer: Floats, action: Floats) -> Floats:
        """Return P(reward) per customer and action, quantised; see `models.protocol.Scorer`.

        Raises ValueError for a wave of the wrong shape or with a number that is not finite.
        """
        return quantise(self.exact_propensities(customer, action))

    def exact_propensities(self, customer: Floats, action: Floats) -> Floats:
        """Return the propensities before they are quantised, within 1e-9 of River's."""
        self._check(customer, action)
        count, width = len(self.actions), customer.shape[1]
        if self._halves is None or self._halves.customer_columns != width:
            self._halves = self._split(width)
        shared, own = self._halves.shared, self._halves.own
        result = np.empty((len(customer), count))
        rows = max(1, BLOCK_NUMBERS // max(1, count * max(action.shape[2], 1)))
        for start in range(0, len(customer), rows):
            block = slice(start, start + rows)
            scaled = self._scale(customer[block], slice(None, width))
            odds = np.einsum("nc,pc->np", scaled, shared)
            odds += self._used_intercepts
            scaled_action = self._scale(action[block], slice(width, None))
            self._blend(odds, scaled_action, own, result[block])
        return self._calibration.calibrate_all(result)

    def contributions(self, features: Floats, actions: NDArray[np.intp]) -> Floats:
        """Return each feature's share of the log-odds of one action per row, (m, c + k).

        At each level a feature adds weight * (x - mean) / deviation, which is exact: a level's
        terms and its intercept sum to its log-odds. The result is their mean over the levels, each
        by its share in the blended propensity; the prior's share adds nothing.
        """
        scaled = self._scale(features, slice(None))
        pushes: Floats = self._blended[actions] * scaled
        return pushes

    def _scale(self, features: Floats, columns: slice) -> Floats:
        # Contiguous: the order in which einsum adds must not follow the caller's strides.
        scaled: Floats = np.ascontiguousarray(features) - self._means[columns]
        with np.errstate(over="ignore"):
            scaled /= self._deviations[columns]
        np.minimum(scaled, MOST_DEVIATIONS, out=scaled)
        return np.maximum(scaled, -MOST_DEVIATIONS, out=scaled)

    def _blend(self, odds: Floats, action: Floats, own: Floats, out: Floats) -> None:
        level_odds = odds.take(self._used_at, axis=1)
        level_odds += np.einsum("nak,lak->nla", action, own)
        np.maximum(level_odds, LEAST_LOG_ODDS, out=level_odds)
        np.exp(np.negative(level_odds, out=level_odds), out=level_odds)
        level_odds += 1.0
        said = np.divide(self._level_shares, level_odds, out=level_odds)
        out[:] = self._of_prior
        for level in range(len(LEVELS)):
            # One after the other: a sum over an axis may add in an order of its own.
            out += said[:, level]

    def _split(self, width: int) -> _Halves:
        return _Halves(
            customer_columns=width,
            shared=np.ascontiguousarray(self._weights[self._used, :width]),
            own=np.ascontiguousarray(self._weights[self._paths.T, width:]),
        )

    def _check(self, customer: Floats, action: Floats) -> None:
        width, expected = customer.shape[1] + action.shape[2], len(self.feature_names)
        if action.shape[:2] != (len(customer), len(self.actions)) or width != expected:
            raise ValueError(
                f"a wave of {customer.shape} and {action.shape} does not fit {len(self.actions)} "
                f"actions and {expected} features (version {self.feature_version})"
            )
        for numbers, names in (
            (customer, self.feature_names[: customer.shape[1]]),
            (action, self.feature_names[customer.shape[1] :]),
        ):
            finite = np.isfinite(numbers)
            if not finite.all():
                column = int(np.argmin(finite.reshape(-1, numbers.shape[-1]).all(axis=0)))
                raise ValueError(f"feature {names[column]!r} is not finite for some customer")


class PriorScorer:
    """Scores every action alike: what a model says that has learned nothing.

    >>> scorer = PriorScorer([ActionKey("gold_card", "cards", "sell")], prior=0.25)
    >>> scorer.propensities(np.zeros((2, 3)), np.zeros((2, 1, 1))).tolist()
    [[0.25], [0.25]]
    """

    def __init__(self, actions: Sequence[ActionKey], prior: float) -> None:
        self.actions = tuple(actions)
        self._prior = float(quantise(np.array([prior]))[0])

    @property
    def version(self) -> str:
        """The version of a model before its first lesson."""
        return "000000000000"

    @property
    def evidence(self) -> Evidence:
        """None; see `models.protocol.Evidence`."""
        return no_evidence(len(self.actions))

    def propensities(self, customer: Floats, action: Floats) -> Floats:
        """Return the prior for each customer and action; see `models.protocol.Scorer`."""
        return np.full((len(customer), len(self.actions)), self._prior)

    def contributions(self, features: Floats, actions: NDArray[np.intp]) -> Floats:
        """Return no push from any feature, shape (m, c + k)."""
        return np.zeros_like(features)


def _evidence_of(snapshot: Snapshot, actions: Sequence[ActionKey], shares: Floats) -> Evidence:
    watches = [snapshot.watches.get(key.action) for key in actions]
    return Evidence(
        lessons=np.array([watch.lessons if watch else 0.0 for watch in watches]),
        overall=snapshot.overall.lessons,
        began_at=np.array([watch.began_at if watch else np.inf for watch in watches]),
        borrowed=1.0 - (shares[:, 0] + shares[:, 1]),
        drift_boost=np.array([watch.drift_boost if watch else 1.0 for watch in watches]),
        squares=unpack(snapshot.scaler_counts)
        * (unpack(snapshot.scaler_variances) + unpack(snapshot.scaler_means) ** 2),
    )


def linear_scorer(snapshot: Snapshot, actions: Sequence[ActionKey], feature_version: str) -> Scorer:
    """Return the scorer of a snapshot for the actions, in their order.

    Raises `SnapshotError` when the snapshot learned from other features than `feature_version`,
    the ones it would be given.
    """
    if snapshot.feature_version != feature_version:
        raise SnapshotError(
            f"snapshot {snapshot.model}@{snapshot.version} learned from features "
            f"{snapshot.feature_version!r}, and this program computes {feature_version!r}: "
            "run the program that wrote it, or remove its snapshots to learn afresh"
        )
    return LinearScorer(snapshot, actions)


def prior_scorer(actions: Sequence[ActionKey], prior: float) -> Scorer:
    """Return a scorer that has learned nothing, for the actions, in their order."""
    return PriorScorer(actions, prior)
