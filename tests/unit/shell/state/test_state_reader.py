"""A changelog is checked, then read, then its states are checked: never used in another order."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streams.shell.state import state_reader
from streams.shell.state.state_checks import ChangelogCut, StateMisplaced
from streams.shell.state.state_reader import StateReader

STATES = {0: {"anna": b"a"}, 1: {"ben": b"b", "cleo": b"c"}}


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what was called; no broker is asked."""
    called: list[Any] = []

    def check_whole(client: Any, changelog: str, partitions: Any) -> None:
        called.append(("whole", changelog, tuple(partitions)))

    def newest_states(client: Any, changelog: str, partitions: Any, give_up: Any) -> Any:
        called.append(("read", changelog, tuple(partitions)))
        return STATES

    def check_states(states: Any, width: int) -> None:
        called.append(("states", states, width))

    for step in (check_whole, newest_states, check_states):
        monkeypatch.setattr(state_reader, step.__name__, step)
    return called


def test_the_changelog_is_checked_before_it_is_read_and_the_states_after(steps: list[Any]) -> None:
    counts: list[int] = []
    read = asyncio.run(StateReader({}, "changelog", 4, counts.append).read([0, 1]))
    assert read == STATES
    assert steps == [
        ("whole", "changelog", (0, 1)),
        ("read", "changelog", (0, 1)),
        ("states", STATES, 4),
    ]
    assert counts == [3]


@pytest.mark.parametrize(
    ("step", "error", "called"),
    [("check_whole", ChangelogCut("cut"), 0), ("check_states", StateMisplaced("moved"), 2)],
)
def test_a_failed_check_leaves_nothing_to_use(
    monkeypatch: pytest.MonkeyPatch,
    steps: list[Any],
    step: str,
    error: Exception,
    called: int,
) -> None:
    def refuse(*args: Any) -> None:
        raise error

    monkeypatch.setattr(state_reader, step, refuse)
    counts: list[int] = []
    with pytest.raises(type(error)):
        asyncio.run(StateReader({}, "changelog", 4, counts.append).read([0, 1]))
    assert (len(steps), counts) == (called, [])
