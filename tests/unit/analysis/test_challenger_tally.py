"""A challenger is learned beside the model in use, compared with it, and may take its place."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from models.learning.capture import take
from models.learning_rates import STEPS
from models.protocol import ActionKey, Scorer
from models.snapshot.snapshot_codec import decode, encode
from schemas.decisions import Challenge, Decision
from schemas.records import ENCODER, MODEL, Lesson, Trigger
from streams.agents.learn import Learn, LearnOptions, ModelStore
from streams.analysis.challenger_tally import ChallengerComparisons
from streams.analysis.settled_decisions import Outcomes
from streams.core.catalogue.loading import CatalogueError
from streams.core.state.partition import PartitionState, SwitchedVersion
from streams.core.units import DAY_MS, HOUR_MS
from streams.shell.versions.catalogue_file import CatalogueFile
from streams.shell.versions.leader import Timeline
from streams.worker.model_setup import ModelSetup
from streams.worker.new_models import new_model, restored_model
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.memory import Log
from tests.support.shops import SHOP, LeaningVersions, load
from tests.unit.agents.agents_world import KeepingOutbox, chunk
from tests.unit.agents.test_decide import lesson
from tests.unit.agents.test_learn import PLACE, Tally, restore, snapshot

CHALLENGED = SHOP + "challenger: careful\n"
PROMOTED = SHOP + "learner: careful\n"


def test_a_catalogue_names_its_learner_and_another_one_as_challenger() -> None:
    plain, challenged, promoted = load(SHOP), load(CHALLENGED), load(PROMOTED)
    assert (plain.scored_by, plain.challenged_by) == ("main", None)
    assert (challenged.scored_by, challenged.challenged_by) == ("main", "main.careful")
    assert promoted.scored_by == "main.careful"
    with pytest.raises(CatalogueError, match="learns this model already"):
        load(SHOP + "learner: bold\nchallenger: bold\n")
    with pytest.raises(CatalogueError, match="unknown learner `carefull`"):
        load(SHOP + "challenger: carefull\n")


def test_every_learner_has_a_bank_that_survives_its_snapshot() -> None:
    taught = [lesson() for _ in range(3)]
    found = set()
    for learner in STEPS:
        name = "main" if learner == "logistic" else f"main.{learner}"
        bank = new_model(name, 2)
        told = [
            _with_features(each, len(bank.feature_names), bank.feature_version) for each in taught
        ]
        for offset, each in enumerate(told):
            assert bank.learn_one(each, offset).__class__.__name__ == "LearnerProgress"
        again = restored_model(decode(encode(take(bank))))
        key = ActionKey(told[0].action, told[0].family, told[0].issue)
        said = again.propensity(key, told[0].features)
        assert (again.name, again.learner) == (name, learner)
        assert said == bank.propensity(key, told[0].features)
        found.add(said)
    assert len(found) == len(STEPS)


def _with_features(each: Lesson, width: int, version: str) -> Lesson:
    return msgspec.structs.replace(each, features=[1.0] * width, feature_version=version)


def test_a_lesson_teaches_both_and_is_noted_once() -> None:
    noted: list[object] = []

    async def nothing() -> dict[str, dict[str, bytes]]:
        return {}

    async def scenario() -> None:
        role = Learn(
            ModelStore(
                Tally, restore, snapshot, nothing, learners_of=lambda m: (m, f"{m}.careful")
            ),
            KeepingOutbox(),
            Timeline("timeline", 1),
            lambda: 0,
            LearnOptions(every_lessons=3, interval_ms=1_000, keep=2),
            on_lesson=lambda lesson, progress: noted.append(lesson),
        )
        await role.assigned({PLACE: 0}, {})
        await role.work(chunk("lessons", [ENCODER.encode(lesson())] * 4, 0, partition=2))
        snapshots, _ = role.cut({PLACE: 4}).stages
        assert [(w.key, w.value) for w in snapshots] == [
            (b"main@000000000004", b"main 2 4 4"),
            (b"main.careful@000000000004", b"main.careful 2 4 4"),
        ]

    asyncio.run(scenario())
    assert len(noted) == 4


def test_who_is_taught_follows_the_catalogue_file(tmp_path: Path) -> None:
    file, now_ms = tmp_path / "shop.yaml", [0]
    file.write_text(SHOP, "utf-8")
    setup = ModelSetup(CatalogueFile(file), lambda: now_ms[0])
    assert list(setup.learners_of("main")) == ["main"]
    file.write_text(CHALLENGED, "utf-8")
    now_ms[0] += 1_000
    assert list(setup.learners_of("main")) == ["main", "main.careful"]
    assert list(setup.learners_of("another")) == ["another"]
    file.write_text(PROMOTED, "utf-8")
    now_ms[0] += 1_000
    assert list(setup.learners_of("main")) == ["main.careful"]


class Asked(LeaningVersions):
    """Notes whose weights were asked for."""

    def scorer(self, model: str, version: str | None, actions: Sequence[ActionKey]) -> Scorer:
        self.scorers[model, version or ""] = True
        return super().scorer(model, version, actions)


def test_a_promoted_challenger_decides_at_once_with_what_it_has_learned() -> None:
    before, after = load(CHALLENGED), load(PROMOTED)
    versions, feed = Asked(before, after), Feed()
    log = Log(versions)
    switches = [
        SwitchedVersion(0, MODEL, "main", "m1"),
        SwitchedVersion(0, MODEL, "main.careful", "c1"),
    ]
    log.store.put_partition_state(PartitionState(switches=switches))
    visit = [feed.click("ada", NOON_MS + day * DAY_MS, family="tea") for day in range(2)]
    out = log.play(numbered([use(before), visit[0], use(after), visit[1]]))
    assert [d.model_version for d in out.decisions] == ["m1", "c1"]
    assert [d.challenger and d.challenger.model_version for d in out.decisions] == ["c1", None]
    assert set(versions.scorers) == {("main", "m1"), ("main.careful", "c1")}


TRUTH = {"tea": 0.1, "coffee": 0.3}


def _logged(number: int, chance: np.random.Generator) -> tuple[Decision, float]:
    """A decision between tea and coffee by even odds, with a challenger that knows the truth."""
    place = int(chance.random() < 0.5)
    chosen = ("tea", "coffee")[place]
    decision = Decision(
        decision_id=f"{number:024x}",
        customer=f"customer {number % 500}",
        moment="browsing",
        decided_at_ms=NOON_MS + number * 1_000,
        arm="treated",
        chosen=chosen,
        treatment="shelf",
        published=True,
        action_probability=0.5,
        draw=0.25 + 0.5 * place,
        actions=["tea", "coffee", "no_action"],
        fates=["candidate"] * 3,
        propensities=[0.2, 0.2, 0.0],
        priorities=[0.2, 0.2, 0.0],
        probabilities=[0.5, 0.5, 0.0],
        features=[],
        action_features=[],
        why=[],
        model_version="m",
        catalogue_version="c",
        feature_version="f",
        trigger=Trigger(id="", topic="clickstream", partition=0, offset=number, seen_at_ms=0),
        challenger=Challenge(
            "main.careful", "000000000001", "coffee", [*TRUTH.values(), 0.0], [0.1, 0.9, 0.0]
        ),
    )
    return decision, float(chance.random() < TRUTH[chosen])


def test_one_that_knows_more_is_seen_to_before_it_takes_over() -> None:
    catalogue = load(SHOP)
    first, second, *_ = catalogue.actions
    actions = (replace(first, id="tea", value=2.0), replace(second, id="coffee", value=2.0))
    bouts, outcomes = (
        ChallengerComparisons(lambda version: replace(catalogue, actions=actions)),
        Outcomes(),
    )
    chance = np.random.default_rng(5)
    template = lesson()
    for number in range(4_000):
        decision, label = _logged(number, chance)
        bouts.add(decision)
        settled = msgspec.structs.replace(
            template,
            decision_id=decision.decision_id,
            label=label,
            decided_at_ms=decision.decided_at_ms,
            settled_at_ms=decision.decided_at_ms + 30 * HOUR_MS,
        )
        outcomes.note(settled, bouts.waits_for(decision.decision_id))
    bout = bouts.by_name["main.careful"]
    assert bout.same / bout.decisions == pytest.approx(0.5, abs=0.03)
    assert bout.moved / bout.decisions == pytest.approx(0.4)
    foresight, worth = bout.foresight(outcomes), bout.worth(outcomes)
    assert foresight is not None
    assert foresight.gain.low > 0
    assert (foresight.challenger.auc() or 0) > (foresight.in_use.auc() or 0) + 0.1
    assert worth is not None
    # 2 x (.1 x .1 + .9 x .3) against 2 x .2.
    for name in ("ips", "snips", "dr"):
        gain = worth.gains[name]
        assert gain.low < 0.56 - 0.40 < gain.high
        assert gain.low > 0
