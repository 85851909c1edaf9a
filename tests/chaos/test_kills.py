"""Killed workers lose nothing, double nothing and change nothing, wherever death finds them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.chaos.kills import Death, deaths, survive
from tests.chaos.world import ChaosWorld
from tests.support.kafka import RealKafka

pytestmark = pytest.mark.long

# Of the long run: a verdict after so many deaths, so that a failure is not far from its cause.
_EPISODE = 20


def test_five_deaths_at_the_worst_moments_leave_no_trace(
    kafka: RealKafka, tmp_path: Path, seed: int
) -> None:
    worst = [
        Death("decide:half:2"),
        # Learned, and not yet in a snapshot.
        Death("learn:probe:1"),
        Death("decide:changelog:2"),
        Death(after_s=4.0),
        Death("intake:outputs:2"),
    ]
    with ChaosWorld(kafka.bootstrap, tmp_path, events=3_000, seed=seed) as world:
        survive(world, worst, with_another=False)


@pytest.mark.chaos
def test_any_number_of_deaths_leaves_no_trace(
    kafka: RealKafka, tmp_path: Path, seed: int, kills: int
) -> None:
    planned = deaths(kills, random.Random(seed))
    for first in range(0, kills, _EPISODE):
        episode = planned[first : first + _EPISODE]
        number = first // _EPISODE
        print(f"\nepisode {number} of seed {seed}: {len(episode)} deaths")
        events = 500 * len(episode)
        with ChaosWorld(kafka.bootstrap, tmp_path, events=events, seed=seed + number) as world:
            survive(world, episode, with_another=number % 4 == 3)
