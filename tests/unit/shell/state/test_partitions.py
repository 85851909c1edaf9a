"""What a cut holds: stamps, changed keys only, and nothing forgotten before it is durable."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.state.codec import PARTITION_KEY
from streams.shell.state import stamp
from streams.shell.state.changelog import keep_newest, without_stamps
from streams.shell.state.partition_store import PartitionStore, StateCodec
from streams.shell.state.partitions import Partitions, StateLost

Values = dict[str, int]


def codec() -> StateCodec:
    return StateCodec(
        encode=lambda key, value: repr(sorted(value.items())).encode(),
        decode=lambda key, data: dict(eval(data.decode())),
        new_partition=dict,
    )


def payloads(values: dict[str, bytes]) -> dict[str, bytes]:
    return {key: value for key, value in values.items() if key != PARTITION_KEY}


def test_what_was_encoded_ahead_of_a_cut_and_changed_again_is_written_as_it_is_at_the_cut() -> None:
    ahead, plain = PartitionStore(codec()), PartitionStore(codec())
    for store in (ahead, plain):
        for customer in ("a", "b", "c"):
            store.put(customer, {customer: 1})
    assert ahead.encode_ahead(2) == 1
    assert ahead.encode_ahead(2) == 0
    for store in (ahead, plain):
        store.put("b", {"b": 2})
        store.put("d", {"d": 1})

    assert ahead.cut() == plain.cut()
    assert ahead.get("b") == {"b": 2}
    ahead.written(ahead.cut())
    assert ahead.cut() == {}


def test_who_changed_long_ago_is_encoded_before_who_changes_all_the_time() -> None:
    encoded: list[str] = []

    def encode(key: str, value: object) -> bytes:
        encoded.append(key)
        return repr(value).encode()

    store = PartitionStore(replace(codec(), encode=encode))
    for customer in ("busy", "calm", "busy", "busy"):
        store.put(customer, {customer: 1})
    store.encode_ahead(1)
    assert encoded == ["calm"]


def test_what_cannot_be_encoded_ahead_fails_the_cut_too() -> None:
    def encode(key: str, value: object) -> bytes:
        if key == "anna":
            raise ValueError(key)
        return b""

    store = PartitionStore(replace(codec(), encode=encode))
    store.put("anna", {})
    for encoding in (lambda: store.encode_ahead(5), lambda: store.cut()):
        with pytest.raises(ValueError, match="anna"):
            encoding()


def test_encoding_ahead_forgets_no_customer_when_few_stay_decoded() -> None:
    store = PartitionStore(codec())
    for customer in ("a", "b", "c"):
        store.put(customer, {customer: 1})
    store.encode_ahead(10)
    store.cut(hot_limit=1)
    assert [store.get(customer) for customer in "abc"] == [{"a": 1}, {"b": 1}, {"c": 1}]


def test_a_stamp_comes_back_with_its_payload() -> None:
    assert stamp.unpack(stamp.pack(2**40, b"state")) == (2**40, b"state")


@pytest.mark.parametrize("value", [b"", b"\x01short", b"\x02" + bytes(8) + b"state"])
def test_a_value_without_our_stamp_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match="stamp"):
        stamp.unpack(value)


def test_only_changed_customers_are_cut() -> None:
    store = PartitionStore(codec())
    store.load({"old": b"[('n', 1)]"})
    store.put("new", {"n": 2})
    assert payloads(store.cut()) == {"new": b"[('n', 2)]"}


def test_a_cut_offers_again_what_was_never_durable() -> None:
    store = PartitionStore(codec())
    store.put("a", {"n": 1})
    store.cut()
    store.put("b", {"n": 2})
    assert payloads(store.cut()).keys() == {"a", "b"}


def test_what_is_durable_is_not_written_twice() -> None:
    store = PartitionStore(codec())
    store.put("a", {"n": 1})
    store.written(store.cut())
    assert store.cut() == {}


def test_a_change_after_the_cut_survives_the_end_of_its_checkpoint() -> None:
    store = PartitionStore(codec())
    store.put("a", {"n": 1})
    first = store.cut()
    store.put("a", {"n": 2})
    second = store.cut()
    store.written(first)
    assert payloads(store.cut()) == payloads(second) == {"a": b"[('n', 2)]"}


def test_a_new_partition_writes_its_own_record_even_without_customers() -> None:
    assert PartitionStore(codec()).cut().keys() == {PARTITION_KEY}


def test_cold_customers_come_back_from_their_bytes() -> None:
    store = PartitionStore(codec())
    for number in range(5):
        store.put(f"c{number}", {"n": number})
    store.cut(hot_limit=1)
    store.put("c0", {"n": 100})
    store.cut(hot_limit=1)
    assert [store.get(f"c{number}") for number in range(5)] == [
        {"n": 100},
        *({"n": number} for number in range(1, 5)),
    ]
    assert len(store) == 5
    assert store.get("nobody") is None


def recovered(*values: bytes | None) -> dict[str, bytes]:
    """Return what recovery makes of values of one key."""
    states: dict[str, bytes] = {}
    for value in values:
        keep_newest(states, b"a", value)
    without_stamps(states)
    return states


def test_recovery_keeps_the_highest_stamp_whatever_comes_last() -> None:
    values = [stamp.pack(*each) for each in [(5, b"old"), (900, b"new"), (70, b"zombie")]]
    assert recovered(*values) == {"a": b"new"}


def test_of_equal_stamps_the_later_write_counts() -> None:
    assert recovered(stamp.pack(9, b"once"), stamp.pack(9, b"again")) == {"a": b"again"}


def test_a_tombstone_removes_a_key_until_it_is_written_again() -> None:
    assert recovered(stamp.pack(9, b"x"), None) == {}
    assert recovered(stamp.pack(9, b"x"), None, stamp.pack(5, b"y")) == {"a": b"y"}


def test_a_record_without_our_stamp_is_refused_even_if_a_later_one_would_replace_it() -> None:
    with pytest.raises(ValueError, match="stamp"):
        recovered(b"\x02" + bytes(8) + b"state", stamp.pack(9, b"x"))


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_stamps_compare_as_the_offsets_they_stand_for(one: int, other: int) -> None:
    stamps = [stamp.read(stamp.pack(each, b"state")) for each in (one, other)]
    assert (stamps[0] < stamps[1]) == (one < other)


def test_committed_offsets_without_any_state_are_refused() -> None:
    partitions = Partitions("changelog", codec(), 10)
    with pytest.raises(StateLost, match="changelog/2 is empty"):
        partitions.load(2, {}, start=100)


def test_all_partitions_are_cut_with_their_own_stamps() -> None:
    partitions = Partitions("changelog", codec(), 10)
    for number in (0, 1):
        partitions.load(number, {}, start=0).put("a", {"n": number})
    writes = {
        write.partition: write for write in partitions.cut({0: 10, 1: 20}) if write.key == b"a"
    }
    stamps = {number: stamp.unpack(write.value or b"")[0] for number, write in writes.items()}
    assert stamps == {0: 10, 1: 20}
    partitions.written()
    assert list(partitions.cut({0: 11, 1: 21})) == []


def test_a_cut_that_is_being_written_outlives_the_memory_it_was_taken_of() -> None:
    partitions = Partitions("changelog", codec(), 10)
    partitions.load(0, {}, start=0).put("a", {"n": 1})
    changes = partitions.cut({0: 10})
    partitions.drop()
    assert [write.key for write in changes] == [PARTITION_KEY.encode(), b"a"]


def test_partitions_share_how_many_customers_stay_decoded() -> None:
    decoded: list[str] = []

    def decode(key: str, data: bytes) -> object:
        decoded.append(key)
        return dict(eval(data.decode()))

    partitions = Partitions("changelog", replace(codec(), decode=decode), hot_limit=2)
    stores = [partitions.load(number, {}, start=0) for number in (0, 1)]
    for at, customer in enumerate("abc"):
        for store in stores:
            store.put(customer, {customer: at})
        partitions.cut({0: at, 1: at})
    for store in stores:
        assert [store.get(customer) for customer in "cba"] == [{"c": 2}, {"b": 1}, {"a": 0}]
    assert decoded == ["b", "a"] * 2


def test_the_partitions_own_state_is_written_first_even_after_a_cut_that_was_refused() -> None:
    store = PartitionStore(codec())
    store.written(store.cut())
    store.put("a", {"a": 1})
    assert list(store.cut()) == ["a"]
    store.put("a", {"a": 2})
    store.put_partition_state({"used": 1})
    assert list(store.cut()) == [PARTITION_KEY, "a"]
