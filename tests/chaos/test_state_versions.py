"""States that other releases stored: older ones are read as today's, newer ones are refused.

The bytes below were stored by the first release and are never made anew: a release that cannot read
them would lose every customer.
"""

from __future__ import annotations

from base64 import b64decode

import pytest

from schemas.records import OrderLine
from streams.core.catalogue.values import Timers
from streams.core.folds.fold import fold, repeat_of
from streams.core.hashing import family_number, id_hash
from streams.core.state import codec
from streams.core.state.baskets import CartItem, Habit
from streams.core.state.codec import (
    StateError,
    check_schema_version,
    decode_customer,
    encode_customer,
    peek_due_ms,
)
from streams.core.state.event_ids import apart, as_short, by_name
from streams.core.state.layout import HEAD_WIDTH
from streams.core.state.stored_state import UPGRADES
from streams.core.units import DAY_MS
from tests.support.events import NOON_MS, Feed

_MINUTE_MS = 60_000
# A view and a full cart, an order that emptied it, a ticket, a search, and one contact.
FIRST_RELEASE = b64decode(
    "gP+/9I0BAADcABQBKcUBM//wP+BwAB6dEABMAAAAAADpvEAAAAAAAEBzQAAAAAAAACRAAAAAAAAAMELNO39mnqCG"
    "QUsTEOc3NA5B+Otse7fBMELAKxJcyKuGQdE7vvK2NA5BZYPB3ZcvMEJQj9hfaKOGQaeEyalXNA5BWDm0yHa+M0Lk"
    "DR9vF+yLQTEYHFvHohJBVE1bTb1fMEJtQjKxMqaGQbNbpGx3NA5BqvWyOqIXw0J0Gp0bymgaQnbSFqAWnKFBo4Pp"
    "83GQMELlLZda/aiGQbyYoC+XNA5BAAA4HdDQeEIAADgd0NB4QgAARvHP0HhCAADs/8/QeEIAAJIO0NB4QgAAAAAA"
    "APA/AAAAAAAA8D8AAAAAAKiCQAAAAAAAAPA/AACg4s/QeEIAAPj/S994QgAAOB3Q0HhCAAAAAAAA8D+So3RlYaVj"
    "b2NvYcSgmqGBQ69NYkK8hoCfOnm5QbwmOkB5/UBBs1ukbHc0DkF20hagFpyhQQAAAABARtNAAAAAAEBG00AAAAAA"
    "AADwPwAA7P/P0HhCAADs/8/QeEL462x7t8EwQsArElzIq4ZB0Tu+8rY0DkEAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADgd0NB4QsQoAADeK9DQeEIe/p0PInkrQ+wweJeQGCJDWL7MpMBi"
    "BUMAAAAAAAAAQJXPWAS8sHU+tDjPlTmyGe2PV8zP6VlPHgul6mzPGKGLZzZDp8bPOqSzbpGH4JmDq3B1cmNoYXNl"
    "cy8wAKlzdXBwb3J0LzAArWNsaWNrc3RyZWFtLzACgaJwMZMBzU0Zo3RlYYCBpnRpY2tldJXPAAABjQ0A6SDPAAAB"
    "jQ0A6SDDAcCAgIDAkFgKBYA="
)
# The same, as version 2 stored it.
VERSION_2 = b64decode(
    "gP+/9I0BAADBAjQEAACQ3AAVAinFAsAAAQAw6bxABwAyAEBzCAAjACQIAPEzMELNO39mnqCGQUsTEOc3NA5B+Otse7fBMELA"
    "KxJcyKuGQdE7vvK2NA5BZYPB3ZcvMEJQj9hfaKOGQaeEyalXNA5BWAAPAgAY/zlYObTIdr4zQuQNH28X7ItBMRgcW8eiEkFU"
    "TVtNvV8wQm1CMrEypoZBs1ukbHc0DkGq9bI6ohfDQnQanRvKaBpCdtIWoBacoUFzABgBAgD/BqOD6fNxkDBC5S2XWv2ohkG8"
    "mKAvl8AAIA8CADdmOB3Q0HhCCAAxRvHPEAAi7P8IAAQCACKSDigADwIAASLwPxYAAwgAI6iC2AEEAgADGAAPAgACKqDiaAAP"
    "AgBNQPj/S9/wAAwCAAQIAQACAA6wAPUVkqN0ZWGlY29jb2HEoJqhgUOvTWJCvIaAnzp5uUG8JjpAef1ALQIIHQIxQEbTDQEE"
    "CAACXQAEXQECCAAP7QIFAC4ADwIAGwLFAGDEMAAA3iuvAfMJHv6dDyJ5K0PsMHiXkBgiQ1i+zKTAYgVDVgABmgAAAgDwfpXP"
    "WAS8sHU+tDjPlTmyGe2PV8zP6VlPHgul6mzPGKGLZzZDp8bPOqSzbpGH4JmDq3B1cmNoYXNlcy8wAKlzdXBwb3J0LzAArWNs"
    "aWNrc3RyZWFtLzACgaJwMZMBzU0Zo3RlYYCBpnRpY2tldJXPAAABjQ0A6SDPAAABjQ0A6SDDAcCAgIDAkFgKBoDEAA=="
)
# Two weeks of a grocer's customer, as version 3 stored them: habits with their families' names, a
# cart without quantities, a ticket that was only ever written about, and ids of all kinds in one
# ring.
VERSION_3 = b64decode(
    "xyr+DI0BAADBA0YGAACQ3AAVA03FAUAAAQAi7bwIACJAcwgA2wAkQABAINwH1HhCACAIAHAA4KoQ03hCNwACAgAwYHa1"
    "EAAEMAATMDAAAh0AA1AAEhAIACKokggABQIAIvA/CwAECAAIAgBIoOLP0GgADwIAMCOwk4AAF37gADAISwvoAF9A4L6D"
    "4nAAAATYAA9/AAT/CZOlZGFpcnmmYmFrZXJ5pnBhbnRyecUCcC8ABA8CALhv4KoAACDc0QAPIqDiBAAPAgAQHxBQAAn/"
    "B0BBnqA2Qv4GI0EAADBBnqAmQv4GE0FWAAf/BrA84M32QXRtIEEAqEI9DZeKQqAnszAACPkGMD6eoAZCBysSQZgvsDxo"
    "o/ZB38ARMAAfAXgAEpFIQaKIREJwq0t8ALAqiqlBQEbTQABI03wCEEA8AwFYA/EDAFQyxkisQaPgMkE4NA5Bl3qHKAAB"
    "LAAwAPA//AIABAAAUAB5d/hAQn2KLIwACAIAAFAAQsQwAFB6A/QJ0j3S6cb7K0M+BMVgjp8vQ6xMrZBDQRRDMgDycLbR"
    "xgjhjStDxEi2DbnIKbI/7OSDJW53zC6XB8fGp0M2Z4vFCykz2t8TZZf/6nMLZPggYc4beuo4Y/o4rY4Zke3ggacbqn5s"
    "+CdvlPq5unRoFZ6GAQECAgACBAADArVlbHNld2hlcmUucHVyY2hhc2VzLzcog6RtaWxrkwLNTSAwA7OlYnJlYWSTAc1N"
    "GTsD8BPZIGFfcHJvZHVjdF93aG9zZX43NTRhYzUxZmU5ZGFjMTcwLgCDIMCCpGVnZ3N3AzLLP/DXAPIBzwAAAY1AfcIA"
    "o2phbZPAyxYABhgAgQKCpGJhcmWVKACyMQuYYADDAcCidDERAEE2MQoAGgBiO1dmAMIC0wMTgZkAFZMaADDLP+BUAPcE"
    "AACkd2FybYGqZmlyc3RfbmFtZSQAACAAAAIA/wujQWRhgK1FdXJvcGUvQmVybGlukdwAFLhhYgIAA6KkbWFpbqRpZGVh"
    "fwAQpQsAUXOjd2VigAAyDP4qowBEDP4qYxIAwMeRpWNsaWNrwss/0HQARwAArDABACDECBMAAAIA1MIDw8IAB1gKBoER"
    "kgI+ACAAxJICAQIAESAGAA8CAAceARsAUAAAAAAA"
)
# Behind 8 bytes of due time and 3 of an array's head.
_VERSION_AT = 11


def _of_version(version: int) -> bytes:
    return FIRST_RELEASE[:_VERSION_AT] + bytes([version]) + FIRST_RELEASE[_VERSION_AT + 1 :]


def test_a_state_of_the_first_release_is_read_whole() -> None:
    check_schema_version(FIRST_RELEASE)
    state = decode_customer(FIRST_RELEASE)
    assert state.applied_offset == 41
    assert peek_due_ms(FIRST_RELEASE) == state.number("due_gone_quiet_ms")
    assert state.number("total_orders") == 1
    assert state.number("total_spend") == 3 * 199
    assert state.number("newest_event_ms") == NOON_MS + 4 * _MINUTE_MS
    assert len(state.head) == HEAD_WIDTH
    assert list(state.families) == ["tea", "cocoa"]
    assert by_name(state.watermarks) == {"purchases/0": 0, "support/0": 0, "clickstream/0": 2}
    assert len(apart(state.recent_ids)) == 5
    assert state.tickets["ticket"].is_open
    assert state.contacts[0] == NOON_MS + 5 * _MINUTE_MS
    assert (state.cart, state.pending, state.unsubscribed) == ({}, [], {})


def test_a_state_of_version_2_is_read_as_one_of_the_first_release() -> None:
    check_schema_version(VERSION_2)
    assert decode_customer(VERSION_2) == decode_customer(FIRST_RELEASE)


def test_a_state_of_version_3_is_read_whole() -> None:
    check_schema_version(VERSION_3)
    state = decode_customer(VERSION_3)
    assert (state.applied_offset, len(state.head)) == (77, HEAD_WIDTH)
    assert state.number("total_orders") == 2
    assert state.number("subscribed") == state.number("subscription_end_ms") == 0
    dairy, long = family_number("dairy"), "a_product_whose~754ac51fe9dac170"
    assert state.products == {
        "milk": Habit(2, 19_744, dairy, 31),
        "bread": Habit(1, 19_737, family_number("bakery"), 16),
        long: Habit(1, 19_744, 0, 16),
    }
    ten_days = NOON_MS + 10 * DAY_MS
    assert state.cart == {
        "eggs": CartItem(dairy, 1_000, ten_days, 1_000),
        "jam": CartItem(0, 0, ten_days + 2, -1_000),
    }
    assert {name: each.heard_ms for name, each in state.tickets.items()} == {
        "bare": NOON_MS + 7 * DAY_MS + _MINUTE_MS,
        "t1": NOON_MS + 9 * DAY_MS,
    }
    assert by_name(state.watermarks)["elsewhere.purchases/7"] == 40
    assert state.preferences["bakery"].weight == 0.5
    assert [pending.subscription for pending in state.pending] == [False]
    assert (state.subscriptions, state.known_ids) == ({}, {})
    assert decode_customer(encode_customer(state)) == state


def test_what_version_3_heard_of_goes_on_where_it_was() -> None:
    state, feed = decode_customer(VERSION_3), Feed(first_offset=900)
    # Its ids are known, of whichever kind; so are products whose id it shortened.
    state.watermarks = {}
    for number, kind in ((1, "order"), (2, "order")):
        again = feed.order("ada", NOON_MS, kind=kind)
        again.event_id = f"purchases-{number}"
        assert repeat_of(state, again) == "duplicate"
    outcome = feed.outcome("ada", NOON_MS + 10 * DAY_MS + 3, "click", "0" * 24)
    outcome.event_id = "outcomes-11"
    assert repeat_of(state, outcome) == "duplicate"
    line = OrderLine("a_product_whose_name_is_longer_than_32_bytes", None, 1.0, 199)
    fold(state, feed.order("ada", NOON_MS + 14 * DAY_MS, line), Timers())
    assert state.products["a_product_whose~754ac51fe9dac170"].days == 2
    # The cart goes on counting.
    for ms in (1, 2):
        add = feed.click("ada", NOON_MS + 15 * DAY_MS + ms, "add_to_cart", product="eggs")
        fold(state, add, Timers())
    assert state.cart["eggs"].quantity_milli == 2_000


def test_an_event_that_an_older_release_heard_of_is_still_known() -> None:
    """Its id is kept in fewer bytes today."""
    feed, state = Feed(first_offset=900), decode_customer(VERSION_2)
    known, new = feed.click("ada", NOON_MS), feed.click("ada", NOON_MS)
    older = as_short([id_hash(f"{known.origin.topic}/{known.event_id}")])
    state.recent_ids += older
    state.watermarks = {}
    assert repeat_of(state, known) == "duplicate"
    assert repeat_of(state, new) is None


def test_a_state_of_the_first_release_is_stored_as_one_of_this_release() -> None:
    state = decode_customer(FIRST_RELEASE)
    assert decode_customer(encode_customer(state)) == state


def test_an_older_version_goes_through_every_step_to_this_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    today = codec.SCHEMA_VERSION
    steps = {
        **UPGRADES,
        today: lambda stored: setattr(stored, "time_zone", "Europe/Berlin"),
        today + 1: lambda stored: setattr(stored, "time_zone", f"{stored.time_zone} or so"),
    }
    monkeypatch.setattr(codec, "SCHEMA_VERSION", today + 2)
    monkeypatch.setattr(codec, "UPGRADES", steps)
    assert decode_customer(FIRST_RELEASE).time_zone == "Europe/Berlin or so"


def test_every_version_before_this_one_has_its_step() -> None:
    assert set(UPGRADES) == set(range(1, codec.SCHEMA_VERSION))


def test_a_newer_version_is_refused_with_and_without_decoding() -> None:
    newer = _of_version(codec.SCHEMA_VERSION + 1)
    for read in (decode_customer, check_schema_version):
        with pytest.raises(StateError, match="stored by a newer release"):
            read(newer)


def test_a_newer_version_of_todays_compressed_states_is_refused_without_expanding_it() -> None:
    stored = encode_customer(decode_customer(FIRST_RELEASE))
    check_schema_version(stored)
    # Behind 8 bytes of due time, and one that says how it is stored.
    newer = stored[:9] + bytes([codec.SCHEMA_VERSION + 1]) + stored[10:]
    with pytest.raises(StateError, match="stored by a newer release"):
        check_schema_version(newer)


def test_a_version_that_never_was_is_refused() -> None:
    with pytest.raises(StateError, match="never been"):
        decode_customer(_of_version(0))
