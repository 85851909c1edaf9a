"""The simulated customers: seeded, admitted, and with tastes that can be found out."""

from __future__ import annotations

from collections import Counter
from datetime import date
from statistics import mean

import pytest

from schemas.records import NextBestAction, Trigger
from streams.core.hashing import decision_id
from streams.demo.families import families
from streams.demo.online_retail import (
    Invoice,
    InvoiceLine,
    Product,
    open_shipped,
    read_invoices,
)
from streams.demo.simulator import Simulator, days_between
from streams.feed.sent_event import Sent, in_order
from streams.feed.topic_fields import problem_of

DAY_MS = 86_400_000
FIRST = date(2010, 12, 1)


@pytest.fixture(scope="module")
def history() -> list[Invoice]:
    with open_shipped() as file:
        return [invoice for invoice in read_invoices(file) if invoice.day <= date(2010, 12, 12)]


def played(simulator: Simulator, history: list[Invoice], number_of_days: int) -> list[Sent]:
    sent: list[Sent] = []
    for day in days_between(simulator.first_day, simulator.last_day)[:number_of_days]:
        sent += simulator.day(day, [invoice for invoice in history if invoice.day == day])
    return sent


def offer(
    customer: str, family: str | None, number: int = 0, at_ms: int = 1_292_000_000_000
) -> NextBestAction:
    return NextBestAction(
        decision_id=decision_id(customer, "browsing", f"{family}/{number}"),
        customer=customer,
        moment="browsing",
        action=f"suggest_{family}",
        issue="discovery",
        family=family,
        treatment="shelf",
        channel="web",
        message="",
        decided_at_ms=at_ms,
        valid_until_ms=at_ms + DAY_MS,
        propensity=0.1,
        context_weight=1.0,
        value=1.0,
        lever=1.0,
        priority=0.1,
        action_probability=0.5,
        arm="treated",
        why=[],
        model_version="",
        catalogue_version="",
        feature_version="",
        trigger=Trigger(id="e", topic="clickstream", partition=0, offset=0, seen_at_ms=at_ms),
    )


def test_the_same_seed_gives_the_same_events_and_another_seed_others(
    history: list[Invoice],
) -> None:
    first, again, other = (played(Simulator(seed, history), history, 3) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_every_simulated_event_is_admitted(history: list[Invoice]) -> None:
    sent = played(Simulator(1, history), history, 5)
    problems = Counter(
        problem for topic, event in sent if (problem := problem_of(topic, event, 1_700_000_000_000))
    )
    assert problems == Counter()
    assert {topic for topic, _ in sent} == {"clickstream", "purchases", "support", "profile"}


def test_event_ids_are_unique_and_tell_real_from_simulated(history: list[Invoice]) -> None:
    sent = played(Simulator(1, history), history, 10)
    ids = [event["event_id"] for _, event in sent]
    assert len(set(ids)) == len(ids)
    real = {event["event_id"] for topic, event in sent if topic == "purchases"}
    assert all(event_id.startswith("uci-") for event_id in real)
    assert all(event_id.startswith("sim-") for event_id in set(ids) - real)


def test_a_day_is_in_order_of_time(history: list[Invoice]) -> None:
    simulator = Simulator(1, history)
    day = simulator.day(FIRST, [invoice for invoice in history if invoice.day == FIRST])
    assert day == sorted(day, key=in_order)


def test_everybody_signs_up_before_the_first_order(history: list[Invoice]) -> None:
    sent = played(Simulator(1, history), history, 20)
    joined = {e["customer_id"]: e["occurred_at"] for _, e in sent if e["kind"] == "signed_up"}
    orders = [(event["customer_id"], event["occurred_at"]) for t, event in sent if t == "purchases"]
    assert all(joined[customer] < at_ms for customer, at_ms in orders)


def test_a_shop_without_orders_on_a_day_still_has_visitors(history: list[Invoice]) -> None:
    simulator = Simulator(1, history)
    played(simulator, history, 3)
    # 2010-12-04 is a Saturday: the shop was closed.
    assert {topic for topic, _ in simulator.day(date(2010, 12, 4), [])} >= {"clickstream"}


def test_tastes_lean_on_what_was_bought() -> None:
    product = Product("1", "bag", "bags")
    lines = tuple(InvoiceLine(product, 1, 100) for _ in range(30))
    lovers = [Invoice(f"a{n}", f"a{n}", n, "France", lines) for n in range(1, 40)]
    others = [
        Invoice(
            f"b{n}",
            f"b{n}",
            n,
            "France",
            tuple(InvoiceLine(Product("2", "mug", "tea_dining"), 1, 90) for _ in range(30)),
        )
        for n in range(1, 40)
    ]
    simulator = Simulator(3, sorted([*lovers, *others], key=lambda invoice: invoice.at_ms))
    assert mean(simulator.tastes(f"a{n}").liking("bags") for n in range(1, 40)) > 0.3
    assert mean(simulator.tastes(f"b{n}").liking("bags") for n in range(1, 40)) < -1.0


def test_outcomes_come_after_the_decision_and_are_admitted(history: list[Invoice]) -> None:
    simulator = Simulator(1, history)
    for customer in sorted({invoice.customer for invoice in history})[:300]:
        action = offer(customer, "bags")
        sent = simulator.respond(action)
        assert sent == sorted(sent, key=in_order)
        assert all(event["occurred_at"] > action.decided_at_ms for _, event in sent)
        assert all(problem_of(t, event, 1_700_000_000_000) is None for t, event in sent)
        kinds = [event["kind"] for topic, event in sent if topic == "outcomes"]
        assert kinds[0] == "delivered"
        assert "click" not in kinds or "impression" in kinds
        assert "accept" not in kinds or "click" in kinds


def test_the_same_action_gets_the_same_answer_again(history: list[Invoice]) -> None:
    simulator = Simulator(1, history)
    customer = history[0].customer
    assert simulator.respond(offer(customer, "bags")) == simulator.respond(offer(customer, "bags"))


def test_a_stranger_does_not_answer(history: list[Invoice]) -> None:
    assert Simulator(1, history).respond(offer("nobody", "bags")) == []


def test_an_action_that_is_no_longer_valid_is_not_seen(history: list[Invoice]) -> None:
    simulator = Simulator(1, history)
    action = offer(history[0].customer, "bags")
    action.valid_until_ms = action.decided_at_ms
    kinds = [event["kind"] for _, event in simulator.respond(action)]
    assert kinds == ["delivered"]


def test_an_aimed_action_is_answered_far_more_often_than_any_action(
    history: list[Invoice],
) -> None:
    simulator = Simulator(1, history)
    customers = sorted({invoice.customer for invoice in history})
    chances = [
        [simulator.click_probability(offer(customer, family)) for family in families()]
        for customer in customers
    ]
    untargeted, aimed = mean(map(mean, chances)), mean(map(max, chances))
    assert 0.03 < untargeted < 0.12
    assert aimed > 3 * untargeted


def test_answers_follow_the_hidden_chance(history: list[Invoice]) -> None:
    simulator = Simulator(1, history)
    expected, clicked = 0.0, 0
    for number, customer in enumerate(sorted({invoice.customer for invoice in history}) * 4):
        action = offer(
            customer, families()[number % 14], number, 1_292_000_000_000 + number * 8 * DAY_MS
        )
        # 90 % of what comes by web is seen.
        expected += 0.9 * simulator.click_probability(action)
        clicked += any(event["kind"] == "click" for _, event in simulator.respond(action))
    # Within three standard deviations of a sum of rare events.
    assert clicked == pytest.approx(expected, abs=3 * expected**0.5)


def test_each_contact_of_the_last_week_costs_response(history: list[Invoice]) -> None:
    simulator = Simulator(1, history)
    customer = history[0].customer
    chances = []
    for number in range(4):
        action = offer(customer, "bags", number, 1_292_000_000_000 + number * 3_600_000)
        chances.append(simulator.click_probability(action))
        simulator.respond(action)
    assert chances == sorted(chances, reverse=True)
    rested = offer(customer, "bags", 9, 1_292_000_000_000 + 30 * DAY_MS)
    assert simulator.click_probability(rested) == pytest.approx(chances[0])
