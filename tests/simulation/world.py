"""One history: from a seed, what customers do, what workers do, and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from schemas.records import ENCODER, NextBestAction, Switch, Tick
from schemas.topics import NEXT_BEST_ACTIONS
from streams.shell.kafka_records import Partition
from streams.shell.runner.role import Role
from streams.shell.versions.leader import Timeline
from tests.simulation.cluster import CHANGELOG, PARTITIONS, TIMELINE, Cluster
from tests.simulation.crew import Crew
from tests.simulation.loop import Loop, Task, running
from tests.simulation.post import Post
from tests.simulation.roles import Encoders, Intake, make_decide, make_learn
from tests.simulation.shop import CATALOGUES, Customers
from tests.support.events import use

_ROLES = ("intake", "decide", "learn")
# Steps of a role before somebody else is chosen.
_AT_ONCE = (1, 1, 2, 4, 16)
# How often a worker that is writing its changes is stopped right there, at each step.
_LOADED = 0.1


class World:
    """Everything there is. Each call of `step` draws what happens next."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.cluster = Cluster()
        self.noted = self.cluster.noted
        self.customers = Customers(self.chance)
        self.encoders = Encoders()
        self.catalogues: list[Switch] = [use(self.chance.choice(CATALOGUES))]
        self.crew = Crew(self.cluster, self.chance, self._role)
        self._moves: list[Callable[[], None]] = [
            *[self._act] * 6,
            *[self._go_on] * 70,
            *[self._tick] * 3,
            *[self._deliver] * 4,
            *[self.customers.pass_time] * 3,
            *[self.crew.start] * 2,
        ]
        self._faults: list[Callable[[], None]] = [
            *[self._kill] * 4,
            *[self._freeze] * 2,
            *[self._rebalance] * 1,
            *[self._switch] * 1,
            *[self._compact] * 5,
        ]

    def step(self) -> None:
        """Let one thing happen."""
        draw, crew = self.chance.random(), self.crew
        if len(crew.awake) < len(crew.workers) and draw < 0.08:
            crew.disturb_sleepers(draw)
        else:
            self.chance.choice(self._faults if draw > 0.96 else self._moves)()
        crew.clock_s += 0.01
        crew.form_groups()

    def finish(self) -> None:
        """Let everything come to rest with nothing going wrong, and some days pass."""
        crew = self.crew
        crew.wake()
        crew.rebalance_all()
        for pass_time in (self.customers.pass_time, self.customers.pass_days):
            pass_time()
            crew.settle()
            self._tick()
            crew.settle()
        # Whatever was learned last becomes a snapshot, whose switch is read and saved.
        self.customers.pass_days()
        crew.settle()
        while crew.unread():
            crew.settle()

    def _role(self, name: str, post: Post) -> Role:
        if name == "intake":
            return Intake(post, self.catalogues)
        if name == "decide":
            return make_decide(self.cluster, post, self.encoders, self.chance)
        return make_learn(self.cluster, post, lambda: self.customers.now_ms)

    # -- what customers and time do ------------------------------------------------------------

    def _act(self) -> None:
        log = self.cluster.logs[Partition(NEXT_BEST_ACTIONS.name, 0)]
        actions: list[NextBestAction] = [self.encoders.known[r.value or b""] for r in log[-8:]]
        event = self.customers.act(actions)
        origin = event.origin
        place = Partition(origin.topic, origin.partition)
        self.cluster.append(place, event.customer.encode(), ENCODER.encode(event))
        self.noted["event"] += 1

    def _tick(self) -> None:
        self._tell(Tick(self.customers.now_ms))

    def _switch(self) -> None:
        self.catalogues.append(use(self.chance.choice(CATALOGUES)))
        self._tell(self.catalogues[-1])

    def _tell(self, record: Tick | Switch) -> None:
        """Let the leader tell everybody; there may be two that think they are."""
        for worker in self.crew.awake:
            member = self.crew.workers[worker].members["intake"]
            if isinstance(member.role, Intake) and member.role.leads:
                Timeline(TIMELINE, PARTITIONS).send_to_all(member.post, record)
                task = Task(member.post.publish())
                self.crew.try_step(worker, task.step)
                task.drop()

    # -- what workers do, and what stops them --------------------------------------------------

    def _go_on(self) -> None:
        """Let one role of one worker take a step."""
        crew = self.crew
        worker = self.chance.choice(crew.awake)
        member = crew.workers[worker].members[self.chance.choice(_ROLES)]
        if member.writer.on_its_way and self.chance.random() < _LOADED:
            self._strike(worker)
            return
        if member.wants_to_join and self.chance.random() < 0.1:
            # Whoever was put out while asleep finds out sooner or later.
            member.group.is_rebalancing = True
        ready = member.ready()
        begins = "checkpoint" in ready and "checkpoint" not in member.tasks
        if begins and self.chance.random() < 0.7:
            # Checkpoints are for now and then.
            ready.remove("checkpoint")
        if ready:
            steps = self.chance.choice(_AT_ONCE)
            crew.try_step(worker, partial(member.go_on, self.chance.choice(ready), steps))

    def _deliver(self) -> None:
        for worker in self.crew.awake:
            for member in self.crew.workers[worker].members.values():
                for post in (member.post, member.writer):
                    if self.chance.random() < 0.5:
                        post.deliver_some()

    def _kill(self) -> None:
        self.noted["kill"] += 1
        self.crew.end(self.chance.choice(self.crew.awake))

    def _freeze(self) -> None:
        self.crew.freeze(self.chance.choice(self.crew.awake))

    def _strike(self, worker: int) -> None:
        """Stop a worker in the middle of writing, for good or for a while."""
        if self.chance.random() < 0.5:
            self.noted["kill"] += 1
            self.crew.end(worker)
        else:
            self.crew.freeze(worker)

    def _rebalance(self) -> None:
        self.crew.groups[self.chance.choice(_ROLES)].is_rebalancing = True

    def _compact(self) -> None:
        self.cluster.compact(Partition(CHANGELOG, self.chance.randrange(PARTITIONS)))


def history(seed: int, steps: int) -> World:
    """Play a history of so many steps, then let it come to rest."""
    with running(Loop()):
        world = World(seed)
        for _ in range(steps):
            world.step()
        world.finish()
    return world
