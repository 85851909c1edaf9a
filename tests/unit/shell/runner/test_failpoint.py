"""Where a test asks a process to die: at the step and the time it names, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from streams.shell.runner.failpoint import Failpoint


def test_a_failpoint_dies_the_nth_time_its_step_is_reached() -> None:
    deaths: list[str] = []
    failpoint = Failpoint("decide:changelog:2", die=lambda: deaths.append("now"))
    for role, step in [("decide", "changelog"), ("learn", "changelog"), ("decide", "commit")]:
        failpoint.reached(role, step)
    assert deaths == []
    failpoint.reached("decide", "changelog")
    failpoint.reached("decide", "changelog")
    assert deaths == ["now"]


def test_no_failpoint_never_dies() -> None:
    Failpoint("", die=lambda: pytest.fail("died")).reached("decide", "cut")


def test_a_failpoint_may_count_the_half_of_a_stage() -> None:
    deaths: list[str] = []
    written: list[str] = []
    failpoint = Failpoint("decide:half:2", die=lambda: deaths.append("now"))

    async def write(records: Sequence[str]) -> None:
        written.extend(records)

    def halve(role: str) -> None:
        asyncio.run(failpoint.half(role, "abcd", write))

    halve("learn")
    halve("decide")
    assert (written, deaths) == (["a", "b"], [])
    halve("decide")
    halve("decide")
    assert (written, deaths) == (["a", "b", "a", "b"], ["now"])


def test_a_failpoint_at_no_step_is_refused() -> None:
    with pytest.raises(ValueError, match="a step is one of"):
        Failpoint("decide:comit:1")
