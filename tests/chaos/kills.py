"""Workers that die: at a step of a checkpoint, or at any moment of a busy or a starting worker."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.world import ChaosWorld
from tests.integration.world_worker import Worker

# Where each role can die. Intake writes nothing at its checkpoints but its outputs; behind the
# first stage of learn's the snapshot is out, and the switches to it are not.
_ALL = ("cut", "outputs", "probe", "half", "stage", "changelog", "commit")
STEPS = {"intake": ("cut", "outputs", "probe", "commit"), "decide": _ALL, "learn": _ALL}
# As long as a worker lives that is killed anyway; it takes two or three seconds to start.
_LONGEST_LIFE_S = 6.0


@dataclass(frozen=True)
class Death:
    """How a worker comes to die: at a failpoint, or after some time."""

    failpoint: str = ""
    after_s: float = 0.0

    def __str__(self) -> str:
        return self.failpoint or f"after {self.after_s:.2f} s"


def deaths(count: int, chance: random.Random) -> list[Death]:
    """Return `count` deaths: two in three at a step, every step in turn, the others anywhere."""
    steps = [f"{role}:{step}" for role, its in STEPS.items() for step in its]
    chance.shuffle(steps)
    found = []
    for number in range(count):
        if number % 3 == 2:
            found.append(Death(after_s=chance.uniform(0.0, _LONGEST_LIFE_S)))
        else:
            step = steps[(number - number // 3) % len(steps)]
            found.append(Death(f"{step}:{chance.randint(1, 3)}"))
    return found


def die(world: ChaosWorld, death: Death, *, instance: str = "") -> None:
    """Start a worker and let it die this death under load; the story goes on meanwhile."""
    doomed = world.start_doomed(death.failpoint, instance_id=instance)
    die_at_s = time.monotonic() + death.after_s

    def is_dead() -> bool:
        if not death.failpoint and time.monotonic() >= die_at_s:
            doomed.kill()
        return doomed.process.poll() is not None

    world.tell_until(is_dead, f"a worker to die {death}")
    assert doomed.process.returncode == -signal.SIGKILL, doomed.said()[-6_000:]


def survive(world: ChaosWorld, how: Sequence[Death], *, with_another: bool) -> None:
    """Let one worker after the other die; then one lives, tells the end, and all is judged.

    `with_another` worker lives throughout, and the dying ones are no static members: then each
    death costs a session timeout and two rebalances, else the next takes its place at once.
    """
    if with_another:
        world.start_ready()
    began_s = time.monotonic()
    for number, death in enumerate(how):
        die(world, death, instance="" if with_another else "one")
        print(
            f"{number + 1}. died {death}, {time.monotonic() - began_s:.0f} s, {world.sent:,} sent"
        )
    last: Worker = world.start(instance_id="" if with_another else "one")
    world.end()
    world.judge()
    world.terminate(last)
