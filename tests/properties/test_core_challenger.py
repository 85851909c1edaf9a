"""A challenger decides beside the model in use, and changes nothing but what is logged of it."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
from hypothesis import given, settings

from schemas.records import MODEL, Decision
from schemas.wire import encode_action, encode_decision
from streams.core.catalogue.values import Catalogue
from streams.core.engine.engine import Outputs
from streams.core.state.partition import PartitionState, SwitchedVersion
from tests.support.made_up import Step, made_up, play, steps
from tests.support.memory import Log
from tests.support.shops import LeaningVersions, load

ALONE = load()
CHALLENGED = replace(ALONE, challenger="careful")
VERSIONS, WATCHING = LeaningVersions(ALONE), LeaningVersions(CHALLENGED)
IN_USE, RIVAL = "000000000007", "000000000009"


def _again(
    made: list[Step], catalogue: Catalogue, rival: str, batch_size: int
) -> tuple[Outputs, Log]:
    """Play the log of these steps under a catalogue; both models have a version from the start."""
    records = play(made, VERSIONS, [ALONE]).records
    log = Log(VERSIONS if catalogue is ALONE else WATCHING)
    versions = [("main", IN_USE), ("main.careful", rival)]
    switches = [SwitchedVersion(0, MODEL, name, version) for name, version in versions]
    log.store.put_partition_state(PartitionState(switches=switches))
    return log.play(records, batch_size), log


def _unchallenged(decision: Decision) -> Decision:
    return msgspec.structs.replace(decision, challenger=None)


@settings(max_examples=20)
@given(steps(longest=100))
def test_with_a_challenger_nobody_gets_anything_else(made: list[Step]) -> None:
    alone, quiet = _again(made, ALONE, RIVAL, 1_000)
    challenged, watched = _again(made, CHALLENGED, RIVAL, 7)
    assert [encode_decision(d) for d in alone.decisions] == [
        encode_decision(_unchallenged(d)) for d in challenged.decisions
    ]
    assert [encode_action(a) for a in alone.actions] == [
        encode_action(a) for a in challenged.actions
    ]
    assert alone.lessons == challenged.lessons
    assert quiet.store.save() == watched.store.save()
    assert all(d.challenger is None for d in alone.decisions)


@settings(max_examples=20)
@given(steps(longest=100))
def test_what_it_would_do_has_exact_odds_on_what_could_be_chosen(made: list[Step]) -> None:
    out, _ = _again(made, CHALLENGED, RIVAL, 1_000)
    for decision in out.decisions:
        rival = decision.challenger
        assert rival is not None
        assert (rival.model, rival.model_version) == ("main.careful", RIVAL)
        odds, possible = np.array(rival.probabilities), np.array(decision.probabilities) > 0
        assert abs(odds.sum() - 1.0) < 1e-9
        assert not odds[~possible].any()
        reached = np.flatnonzero(np.cumsum(odds) > decision.draw)
        assert rival.chosen == decision.actions[reached[0] if len(reached) else -1]
        assert len(rival.propensities) == len(decision.actions)


@settings(max_examples=10)
@given(steps(longest=100, without=("switch_model",)))
def test_one_that_knows_the_same_chooses_the_same(made: list[Step]) -> None:
    out, _ = _again(made, CHALLENGED, IN_USE, 1_000)
    for decision in out.decisions:
        assert decision.challenger is not None
        assert decision.challenger.chosen == decision.chosen
        assert list(decision.challenger.probabilities) == list(decision.probabilities)


def test_other_weights_choose_something_else_and_who_learned_nothing_chooses_nothing() -> None:
    made = made_up(3, 150)
    out, _ = _again(made, CHALLENGED, RIVAL, 1_000)
    others = [d for d in out.decisions if d.challenger and d.challenger.chosen != d.chosen]
    assert 0 < len(others) < len(out.decisions)
    records = play(made, VERSIONS, [ALONE]).records
    young = Log(WATCHING).play(records)
    assert all(d.challenger is None for d in young.decisions)
