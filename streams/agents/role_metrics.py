"""What the roles did, as metrics: a function for each kind of event that returns what counts it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from models.lesson_result import LearnerProgress, Refusal
from schemas.decisions import Decision, NextBestAction
from schemas.records import Lesson
from streams.agents.build_info import BuildInfo
from streams.core.engine.engine import Outputs
from streams.shell.telemetry import metrics as m
from streams.shell.telemetry.metrics import Metrics
from streams.shell.wall_clock import now_ms

if TYPE_CHECKING:
    # With it comes River, which only the learn role needs.
    from models.learning.bank import Bank

# What the engine notes with a kind behind a colon.
_NOTED = {"moment": m.MOMENTS, "outcome": m.OUTCOMES, "unmatched": m.OUTCOMES_UNMATCHED}


def count_admitted(metrics: Metrics) -> Callable[[str, Mapping[str, int]], None]:
    """Return what counts admitted events of a topic, by kind."""

    def note(topic: str, kinds: Mapping[str, int]) -> None:
        metrics.add(m.EVENTS, sum(kinds.values()), topic, "admitted")

    return note


def count_refused(metrics: Metrics) -> Callable[[str, str], None]:
    """Return what counts a dead letter."""

    def note(topic: str, reason: str) -> None:
        metrics.add(m.EVENTS, 1, topic, "refused")
        metrics.add(m.DEAD_LETTERS, 1, topic, reason)

    return note


def count_outputs(metrics: Metrics, build_info: BuildInfo) -> Callable[[Outputs], None]:
    """Return what counts the outputs of a batch, after they were sent."""

    def note(out: Outputs) -> None:
        for name, count in out.notes.items():
            what, _, kind = name.partition(":")
            if kind:
                metrics.add(_NOTED[what], count, kind)
            else:
                metrics.add(m.TIMELINE_RECORDS, count, what)
        if out.tick_ms:
            metrics.set(m.TICK_AT, out.tick_ms / 1000)
        _count_decisions(metrics, out.decisions)
        build_info.see(out.decisions)
        _count_actions(metrics, out.actions)

    return note


def _count_decisions(metrics: Metrics, decisions: list[Decision]) -> None:
    # Summed first: a metric's lock and labels cost more than counting in Python.
    for moment, count in Counter([d.moment for d in decisions]).items():
        metrics.add(m.DECISIONS, count, moment)
    without_action = Counter([d.moment for d in decisions if d.chosen == "no_action"])
    for moment, count in without_action.items():
        metrics.add(m.NO_ACTION, count, moment)
    dropped: Counter[str] = Counter()
    for fate, count in Counter(chain.from_iterable([d.fates for d in decisions])).items():
        dropped[fate.partition(":")[0]] += count
    for tier, count in dropped.items():
        if tier != "candidate":
            metrics.add(m.DROPPED, count, tier)
    _count_shadows(metrics, [d for d in decisions if d.shadow is not None])
    challenged = [d.challenger.chosen == d.chosen for d in decisions if d.challenger is not None]
    for same, count in Counter(challenged).items():
        metrics.add(m.CHALLENGED, count, "same" if same else "another")


def _count_shadows(metrics: Metrics, decisions: list[Decision]) -> None:
    """Count how often, and at what value, actions on trial would have changed the choice."""
    pairs = Counter([(d.shadow or "", d.shadow == d.chosen) for d in decisions])
    for (name, same), count in pairs.items():
        metrics.add(m.SHADOW, count, name, "same" if same else "another")
    for decision in decisions:
        for kind, name in (("real", decision.chosen), ("shadow", decision.shadow or "")):
            priority = decision.priorities[decision.actions.index(name)]
            metrics.add(m.SHADOW_VALUE, priority, kind)


def _count_actions(metrics: Metrics, actions: list[NextBestAction]) -> None:
    at_ms = now_ms()
    for (name, channel), count in Counter([(a.action, a.channel) for a in actions]).items():
        metrics.add(m.ACTIONS, count, name, channel)
    # A timer has no event that arrived; its trigger is a tick of the timeline.
    waited = [
        max(at_ms - action.trigger.seen_at_ms, 0) / 1000
        for action in actions
        if action.trigger.topic != "timeline"
    ]
    metrics.observe(m.EVENT_TO_ACTION, waited)


def measure_states(metrics: Metrics) -> Callable[[int, Sequence[int]], None]:
    """Return what notes how many customers are held, and the sizes of the states of a cut."""

    def note(customers: int, sizes: Sequence[int]) -> None:
        metrics.set(m.CUSTOMERS, customers)
        metrics.observe(m.STATE_BYTES, sizes)

    return note


def count_recovered(metrics: Metrics, states: int) -> None:
    """Count states that were read back."""
    metrics.add(m.RECOVERED, states, "decide")


def count_lessons(metrics: Metrics) -> Callable[[Lesson, object], None]:
    """Return what counts a lesson, learned or refused."""

    def note(lesson: Lesson, progress: object) -> None:
        if isinstance(progress, LearnerProgress):
            metrics.add(m.LESSONS, 1, lesson.action, str(int(lesson.label)))
            if progress.drifted:
                metrics.add(m.DRIFTS, 1, lesson.action)
        elif isinstance(progress, Refusal):
            metrics.add(m.LESSONS_REFUSED, 1, progress.reason)

    return note


def measure_model(metrics: Metrics, bank: Bank, in_use: bool = True) -> None:
    """Show the quality of a published model; of a challenger only its number of lessons."""
    metrics.add(m.MODEL_VERSIONS, 1, bank.name)
    metrics.set(m.MODEL_LESSONS, bank.overall.lessons, bank.name)
    if not in_use:
        return
    for action, quality in bank.quality.items():
        for gauge, value in (
            (m.MODEL_LOG_LOSS, quality.log_loss()),
            (m.MODEL_AUC, quality.auc()),
            (m.MODEL_CALIBRATION, quality.calibration_error()),
        ):
            if value is not None:
                metrics.set(gauge, value, action)
