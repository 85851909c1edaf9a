"""The blend leans on the narrowest level that has evidence."""

from __future__ import annotations

import pytest

from models.backoff import HALF_EVIDENCE_LESSONS, LEVELS, mixture, path_of
from models.protocol import ActionKey


def test_a_path_runs_from_the_action_to_the_whole_model() -> None:
    path = path_of(ActionKey("gold_card", "cards", "sell"))
    assert [key.level for key in path if key] == list(LEVELS)


def test_an_action_without_a_family_skips_that_level() -> None:
    assert path_of(ActionKey("say_thanks", None, "care"))[1] is None


def test_the_same_family_under_two_issues_learns_apart() -> None:
    sold, served = ActionKey("a", "phones", "sell"), ActionKey("b", "phones", "serve")
    assert path_of(sold)[1] != path_of(served)[1]


def test_without_evidence_only_the_prior_speaks() -> None:
    assert mixture([0, 0, 0, 0]) == (0.0, 0.0, 0.0, 0.0, 1.0)


def test_shares_sum_to_one_and_half_evidence_takes_half() -> None:
    shares = mixture([300, 700, 5_000, 20_000])
    assert shares[0] == 0.5
    assert sum(shares) == pytest.approx(1.0, abs=1e-15)


def test_shares_follow_the_nested_formula() -> None:
    lessons, said, prior = [40, 210, 1_000, 3_000], [0.3, 0.2, 0.1, 0.06], 0.05
    expected = prior
    for n, k, p in reversed(list(zip(lessons, HALF_EVIDENCE_LESSONS, said, strict=True))):
        expected = n / (n + k) * p + (1 - n / (n + k)) * expected
    blended = sum(s * p for s, p in zip(mixture(lessons), [*said, prior], strict=True))
    assert blended == pytest.approx(expected, abs=1e-15)


def test_more_lessons_of_an_action_never_lower_its_own_share() -> None:
    own = [mixture([n, 500, 500, 500])[0] for n in range(0, 2_000, 50)]
    assert own == sorted(own)
