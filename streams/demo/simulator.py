"""A customer simulator with hidden tastes, said to be one.

The orders and refunds are real. What the shop's data lacks is made up here, for these same
customers: browsing, sign-ups and stated preferences, tickets, and the answers to actions. Ids of
made-up events begin with `sim-`, those of real ones with `uci-`.

Everything is a function of (seed, invoices, the actions seen): running twice gives the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from schemas.records import NextBestAction, OrderLine
from streams.demo.browsing import (
    HOUR_MS,
    MINUTE_MS,
    Visit,
    before_order,
    between_orders,
    shelf_of,
)
from streams.demo.event_builders import (
    purchase,
)
from streams.demo.online_retail import CURRENCY, Invoice, purchase_event
from streams.demo.profiles import sign_up
from streams.demo.responses import Context, answer, click_probability
from streams.demo.seeded import chance
from streams.demo.tastes import Tastes, bought_lines, hidden_tastes
from streams.demo.tickets import ticket_of
from streams.feed.sent_event import (
    Event,
    Sent,
    in_order,
)

DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS
_INTEREST_MS = DAY_MS
# Share of accepted family offers that end in an order of their own.
_ORDERS_AFTER_ACCEPT = 0.35


class Simulator:
    """The customers of the demo.

    `invoices` is the whole history: tastes lean on it, and a visit precedes each order. `day`
    is called once per day in calendar order, `respond` once for each action.
    """

    def __init__(self, seed: int, invoices: Sequence[Invoice]) -> None:
        self._seed = seed
        self._shelf = shelf_of(invoices)
        first: dict[str, Invoice] = {}
        orders: Counter[str] = Counter()
        for invoice in invoices:
            first.setdefault(invoice.customer, invoice)
            orders[invoice.customer] += not invoice.is_refund
        self.first_day, self.last_day = invoices[0].day, invoices[-1].day
        span_days = (self.last_day - self.first_day).days + 1
        rates = {customer: count / span_days for customer, count in orders.items()}
        self._tastes = hidden_tastes(seed, bought_lines(invoices), rates)
        self._joining: dict[date, list[tuple[int, Invoice]]] = defaultdict(list)
        for invoice in first.values():
            at_ms = self._joins_at_ms(invoice)
            self._joining[_day_of(at_ms)].append((at_ms, invoice))
        self._joined: list[str] = []
        self._contacts: dict[str, dict[str, int]] = defaultdict(dict)
        self._looked: dict[tuple[str, str], int] = {}

    def tastes(self, customer: str) -> Tastes:
        """Return the hidden truth about a customer, for tests and for the demo's last page."""
        return self._tastes[customer]

    def day(self, day: date, invoices: Iterable[Invoice]) -> list[Sent]:
        """Return what the day leads to, in order of event time, as (topic, event).

        Some of them are days later (a ticket is resolved): the caller sends them when their time
        has come. `invoices` are those of the day.
        """
        sent: list[Sent] = []
        for at_ms, invoice in self._joining.get(day, ()):
            customer = invoice.customer
            rng = chance(self._seed, "sign_up", customer)
            sent += sign_up(customer, invoice.country, self._tastes[customer], at_ms, rng)
        sent += self._visits(day)
        self._joined += [invoice.customer for _, invoice in self._joining.get(day, ())]
        for invoice in invoices:
            rng = chance(self._seed, "invoice", invoice.number)
            if not invoice.is_refund:
                sent += before_order(invoice, self._tastes[invoice.customer], rng)
            sent.append(("purchases", purchase_event(invoice)))
            sent += ticket_of(invoice, rng)
        self._remember(sent)
        return sorted(sent, key=in_order)

    def respond(self, action: NextBestAction) -> list[Sent]:
        """Return what an action leads to, in order of event time, as (topic, event).

        Outcomes, all after `decided_at_ms`, and for an accepted offer of a family perhaps a visit
        and an order. A customer who is not in the demo gets an empty list.
        """
        tastes = self._tastes.get(action.customer)
        if tastes is None:
            return []
        events = answer(self._seed, action, tastes, self._context(action))
        self._contacts[action.customer][action.decision_id] = action.decided_at_ms
        sent: list[Sent] = [("outcomes", event) for event in events]
        if events[-1]["kind"] == "accept" and action.family in self._shelf:
            sent += self._after_accept(action, action.family, tastes, events[-1]["occurred_at"])
        self._remember(sent)
        return sorted(sent, key=in_order)

    def click_probability(self, action: NextBestAction) -> float:
        """Return the true P(click | seen) of an action, given the contacts there were before."""
        tastes = self._tastes[action.customer]
        return click_probability(self._seed, action, tastes, self._context(action))

    def _joins_at_ms(self, first: Invoice) -> int:
        rng = chance(self._seed, "joins", first.customer)
        lead_ms = rng.randrange(20 * MINUTE_MS, 5 * DAY_MS)
        opening_ms = _midnight_ms(self.first_day) + rng.randrange(HOUR_MS, 8 * HOUR_MS)
        return min(max(first.at_ms - lead_ms, opening_ms), first.at_ms - 18 * MINUTE_MS)

    def _visits(self, day: date) -> list[Sent]:
        rng = chance(self._seed, "visits", day)
        sent: list[Sent] = []
        for customer in self._joined:
            tastes = self._tastes[customer]
            if rng.random() < tastes.sessions_per_day:
                own = chance(self._seed, "visit", customer, day)
                sent += between_orders(customer, tastes, day, self._shelf, own)
        return sent

    def _context(self, action: NextBestAction) -> Context:
        now_ms = action.decided_at_ms
        contacts = self._contacts[action.customer]
        recent = [
            decision_id
            for decision_id, at_ms in contacts.items()
            if now_ms - WEEK_MS < at_ms <= now_ms and decision_id != action.decision_id
        ]
        looked_ms = self._looked.get((action.customer, action.family or ""), -_INTEREST_MS)
        return Context(len(recent), interested=now_ms - looked_ms < _INTEREST_MS)

    def _remember(self, sent: Iterable[Sent]) -> None:
        for topic, event in sent:
            if topic == "clickstream" and event["family"]:
                self._looked[event["customer_id"], event["family"]] = event["occurred_at"]

    def _after_accept(
        self, action: NextBestAction, family: str, tastes: Tastes, accepted_ms: int
    ) -> list[Sent]:
        rng = chance(self._seed, "after", action.decision_id)
        visit = Visit(action.customer, tastes, accepted_ms + 1_000, rng)
        product = rng.choice(self._shelf[family])
        visit.add("view", family, product)
        visit.add("add_to_cart", family, product)
        if rng.random() >= _ORDERS_AFTER_ACCEPT:
            return visit.events
        order_id = f"sim-order-{action.decision_id}"
        line = OrderLine(product.stock_code, family, rng.randint(1, 12), product.price_pence)
        order: Event = purchase(
            order_id,
            action.customer,
            visit.at_ms + rng.randrange(MINUTE_MS, 5 * MINUTE_MS),
            "order",
            order_id=order_id,
            currency=CURRENCY,
            lines=[line],
        )
        return [*visit.events, ("purchases", order)]


def days_between(first: date, last: date) -> list[date]:
    """Return every calendar day from `first` to `last`, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _midnight_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def _day_of(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date()
