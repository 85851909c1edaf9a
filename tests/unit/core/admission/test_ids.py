"""Ids are compared without blanks around them; a word for a missing id is none."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from schemas.bundled import bundled_schemas
from schemas.records import Click, Origin, Outcome, Purchase, Rejection, Support
from schemas.symbols import PLACEHOLDERS
from schemas.topics import INPUTS
from schemas.wire import encode_event
from streams.cli.commands import explain as explain_module
from streams.core.admission.admit import admit_noting
from streams.core.admission.opt_outs import Dropped
from streams.core.hashing import decision_id
from tests.support.example_files import accepted_examples

SEEN_AT_MS = 1_717_236_000_040
VALUES = {
    "clickstream": accepted_examples("clickstream")["a_view_with_everything.json"],
    "purchases": accepted_examples("purchases")["an_order_of_two_lines.json"],
    "support": accepted_examples("support")["opened.json"],
    "profile": accepted_examples("profile")["a_preference.json"],
    "outcomes": accepted_examples("outcomes")["a_bare_impression.json"],
}
TOPICS = [topic.name for topic in INPUTS]
BLANKS = (" {} ", "{}\n", "\t{}", "\u00a0{}\u3000", "\r\n{}\r\n")


def judged(topic: str, **changes: Any) -> tuple[Any, list[Dropped]]:
    origin = Origin(topic, 0, 0, SEEN_AT_MS)
    payload = encode_event(topic, VALUES[topic] | changes)
    found, dropped = admit_noting(topic, payload, origin, bundled_schemas())
    return found, list(dropped)


@pytest.mark.parametrize("blanks", BLANKS)
@pytest.mark.parametrize("topic", TOPICS)
def test_blanks_around_ids_change_nothing(topic: str, blanks: str) -> None:
    value = VALUES[topic]
    ids = (
        *("event_id", "customer_id", "order_id", "ticket_id", "decision_id", "product_id"),
        *("session_id", "family", "subject"),
    )
    around: dict[str, Any] = {name: blanks.format(value[name]) for name in ids if value.get(name)}
    if "lines" in value:
        names = ("product_id", "family")
        around["lines"] = [
            line | {name: blanks.format(line[name]) for name in names if line.get(name)}
            for line in value["lines"]
        ]
    assert judged(topic, **around) == judged(topic)
    assert not isinstance(judged(topic)[0], Rejection)


def test_blanks_within_an_id_and_its_case_stay() -> None:
    assert judged("clickstream", customer_id="Ada  Lovelace")[0].customer == "Ada  Lovelace"
    assert judged("clickstream", customer_id="ada  lovelace")[0].customer == "ada  lovelace"


@pytest.mark.parametrize("placeholder", sorted(PLACEHOLDERS))
@pytest.mark.parametrize("topic", TOPICS)
def test_a_placeholder_for_a_customer_is_refused_and_named(topic: str, placeholder: str) -> None:
    found, _ = judged(topic, customer_id=f" {placeholder} ")
    assert isinstance(found, Rejection)
    assert found.reason == "placeholder_id"
    assert found.detail == (
        f"customer_id is {placeholder!r}, which programs write where they know no id"
    )


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("clickstream", "event_id"),
        ("purchases", "order_id"),
        ("support", "ticket_id"),
        ("outcomes", "decision_id"),
    ],
)
def test_a_placeholder_for_an_id_that_is_needed_is_refused(topic: str, name: str) -> None:
    found, _ = judged(topic, **{name: "undefined"})
    assert isinstance(found, Rejection)
    assert found.reason == "placeholder_id"
    assert name in found.detail


def test_a_placeholder_for_a_product_that_a_kind_needs_is_refused_as_one() -> None:
    found, _ = judged("clickstream", kind="add_to_cart", product_id="undefined")
    assert isinstance(found, Rejection)
    assert found.reason == "placeholder_id"
    assert found.detail.startswith("add_to_cart needs product_id")
    line = VALUES["purchases"]["lines"][0] | {"product_id": "None"}
    found, _ = judged("purchases", lines=[line])
    assert isinstance(found, Rejection)
    assert (found.reason, found.detail[:19]) == ("placeholder_id", "lines[0].product_id")


def test_a_placeholder_for_an_optional_id_is_left_out_and_noted() -> None:
    view, dropped = judged("clickstream", product_id="undefined", session_id="NULL", family="nan")
    assert isinstance(view, Click)
    assert (view.product, view.session, view.family) == (None, None, None)
    assert {each.field for each in dropped} == {"product_id", "session_id", "family"}
    assert {each.reason for each in dropped} == {"placeholder_id"}
    ticket, dropped = judged("support", product_id="null")
    assert isinstance(ticket, Support)
    assert (ticket.product, dropped) == (None, [Dropped("product_id", "placeholder_id")])
    line = VALUES["purchases"]["lines"][0] | {"family": "null"}
    order, dropped = judged("purchases", lines=[line])
    assert isinstance(order, Purchase)
    assert (order.lines[0].family, dropped) == (None, [Dropped("family", "placeholder_id")])


def test_an_optional_id_of_blanks_is_none() -> None:
    view, dropped = judged("clickstream", product_id="  ", family="")
    assert (view.product, view.family, dropped) == (None, None, [])


@pytest.mark.parametrize("name", ["Null", "Nan", "Nil", "Na", "none", "nil", "N/A", "0", "-", "na"])
def test_names_of_people_that_look_like_placeholders_are_ids(name: str) -> None:
    assert judged("clickstream", customer_id=name)[0].customer == name


def test_a_decision_is_for_its_customer_with_blanks_around_either() -> None:
    named = decision_id("ada", "browsing", "a click")
    found, _ = judged("outcomes", customer_id=" ada", decision_id=f"{named}\n")
    assert isinstance(found, Outcome)
    assert (found.customer, found.decision_id) == ("ada", named)


def test_an_id_may_have_128_characters_without_the_blanks_around_it() -> None:
    assert judged("clickstream", customer_id=f" {'x' * 128} ")[0].customer == "x" * 128
    assert isinstance(judged("clickstream", customer_id="x" * 129)[0], Rejection)


def test_explain_looks_for_an_id_without_the_blanks_around_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def state_of(settings: object, customer: str) -> dict[str, str]:
        asked.append(customer)
        return {}

    monkeypatch.setattr(explain_module, "_state", state_of)
    monkeypatch.setattr(
        explain_module, "_find", lambda settings, target, last: asked.append(target)
    )
    CliRunner().invoke(explain_module.explain, ["  ada\t", "--state"])
    CliRunner().invoke(explain_module.explain, ["\u00a0ada"])
    assert asked == ["ada", "ada"]
