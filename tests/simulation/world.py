"""One history: from a seed, what customers do, what workers do, and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from schemas.records import ENCODER, NextBestAction, Switch, Tick
from schemas.topics import NEXT_BEST_ACTIONS
from streams.runtime.chunk import Place
from streams.runtime.clock import Timeline
from streams.runtime.producer import DeliveryFailed
from streams.runtime.role import Role
from tests.events import use
from tests.simulation.cluster import CHANGELOG, LESSONS, PARTITIONS, TIMELINE, Cluster, Group
from tests.simulation.loop import Loop, Task, running
from tests.simulation.post import Post
from tests.simulation.process import OPTIONS, Member, Process
from tests.simulation.roles import SOURCES, Encoders, Intake, make_decide, make_learn
from tests.simulation.shop import CATALOGUES, Customers

_MOST_WORKERS = 2
_ROLES = ("intake", "decide", "learn")
# Steps of a role before somebody else is chosen.
_AT_ONCE = (1, 1, 2, 4, 16)
# How often a worker that is writing its changes is stopped right there, at each step.
_LOADED = 0.1
# Steps that a quiet end may take; a history that needs more is stuck.
_ENOUGH = 20_000


class World:
    """Everything there is. Each call of `step` draws what happens next."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.cluster = Cluster()
        self.noted = self.cluster.noted
        self.customers = Customers(self.chance)
        self.encoders = Encoders()
        self.clock_s = 0.0
        self.catalogues: list[Switch] = [use(self.chance.choice(CATALOGUES))]
        timeline = [Place(TIMELINE, number) for number in range(PARTITIONS)]
        self.groups = {
            name: Group(places, self.chance, self.noted)
            for name, places in (
                ("intake", SOURCES),
                ("decide", timeline),
                ("learn", [Place(LESSONS, 0)]),
            )
        }
        self.workers: dict[int, Process] = {}
        self._started = 0
        self.awake: list[int] = []
        self._moves: list[Callable[[], None]] = [
            *[self.act] * 6,
            *[self.go_on] * 70,
            *[self.tick] * 3,
            *[self.deliver] * 4,
            *[self.pass_time] * 3,
            *[self.start] * 2,
        ]
        self._faults: list[Callable[[], None]] = [
            *[self.kill] * 4,
            *[self.freeze] * 2,
            *[self.rebalance] * 1,
            *[self.switch] * 1,
            *[self.compact] * 5,
        ]
        for _ in range(_MOST_WORKERS):
            self.start()

    def step(self) -> None:
        """Let one thing happen."""
        draw = self.chance.random()
        if len(self.awake) < len(self.workers) and draw < 0.08:
            self._disturb_sleepers(draw)
        else:
            self.chance.choice(self._faults if draw > 0.96 else self._moves)()
        self.clock_s += 0.01
        self._form_groups()

    # -- what customers and time do ------------------------------------------------------------

    def act(self) -> None:
        log = self.cluster.logs[Place(NEXT_BEST_ACTIONS.name, 0)]
        actions: list[NextBestAction] = [self.encoders.known[r.value or b""] for r in log[-8:]]
        event = self.customers.act(actions)
        origin = event.origin
        place = Place(origin.topic, origin.partition)
        self.cluster.append(place, event.customer.encode(), ENCODER.encode(event))
        self.noted["event"] += 1

    def pass_time(self) -> None:
        self.customers.pass_time()

    def tick(self) -> None:
        self._tell(Tick(self.customers.now_ms))

    def switch(self) -> None:
        self.catalogues.append(use(self.chance.choice(CATALOGUES)))
        self._tell(self.catalogues[-1])

    def _tell(self, record: Tick | Switch) -> None:
        """Let the leader tell everybody; there may be two that think they are."""
        for worker in self.awake:
            member = self.workers[worker].members["intake"]
            if isinstance(member.role, Intake) and member.role.leads:
                Timeline(TIMELINE, PARTITIONS).send_to_all(member.post, record)
                task = Task(member.post.publish())
                self._try(worker, task.step)
                task.drop()

    # -- what workers do -----------------------------------------------------------------------

    def go_on(self) -> None:
        """Let one role of one worker take a step."""
        if not self.awake:
            return
        worker = self.chance.choice(self.awake)
        member = self.workers[worker].members[self.chance.choice(_ROLES)]
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
            self._try(worker, partial(member.go_on, self.chance.choice(ready), steps))

    def deliver(self) -> None:
        for worker in self.awake:
            for member in self.workers[worker].members.values():
                for post in (member.post, member.writer):
                    if self.chance.random() < 0.5:
                        post.deliver_some()

    # -- what goes wrong -----------------------------------------------------------------------

    def start(self) -> None:
        if len(self.workers) < _MOST_WORKERS:
            self._started += 1
            self.workers[self._started] = self._new(self._started)
            self._note_awake()
            for group in self.groups.values():
                group.is_rebalancing = True

    def kill(self) -> None:
        if self.awake:
            self.noted["kill"] += 1
            self._end(self.chance.choice(self.awake))

    def _strike(self, worker: int) -> None:
        """Stop a worker in the middle of writing, for good or for a while."""
        if self.chance.random() < 0.5:
            self.noted["kill"] += 1
            self._end(worker)
        else:
            self._freeze(worker)

    def _end(self, worker: int) -> None:
        self.workers.pop(worker).die(self.noted)
        for group in self.groups.values():
            if group.members.pop(worker, None) is not None:
                group.is_rebalancing = True
        self._note_awake()
        if not self.workers:
            self.start()

    def freeze(self) -> None:
        if self.awake:
            self._freeze(self.chance.choice(self.awake))

    def _freeze(self, worker: int) -> None:
        if len(self.awake) > 1:
            self.workers[worker].frozen_at_s = self.clock_s
            self._note_awake()
            self.noted["freeze"] += 1

    def _disturb_sleepers(self, draw: float) -> None:
        """Put them out of their groups first, as a rule; wake them after others went on."""
        asleep = self.workers.keys() - set(self.awake)
        is_member = any(asleep & group.members.keys() for group in self.groups.values())
        if is_member and draw > 0.005:
            self.evict()
        elif draw < 0.01:
            self.wake()

    def wake(self) -> None:
        """Let sleepers go on where they were; what they had sent arrives late, or never."""
        for process in self.workers.values():
            if process.frozen_at_s is None:
                continue
            if self.clock_s - process.frozen_at_s > OPTIONS.session_timeout_s:
                self.noted["late wake"] += 1
                for member in process.members.values():
                    for post in (member.post, member.writer):
                        post.arrive_late()
            process.frozen_at_s = None
        self._note_awake()
        if self.chance.random() < 0.3:
            self.compact()

    def evict(self) -> None:
        """Let a sleeper's session end, in all of its groups."""
        for worker, process in self.workers.items():
            if process.frozen_at_s is not None:
                self.clock_s += 2 * OPTIONS.session_timeout_s
                for group in self.groups.values():
                    if group.members.pop(worker, None) is not None:
                        group.is_rebalancing = True
                for member in process.members.values():
                    member.wants_to_join = True

    def rebalance(self) -> None:
        """Let a group deal its partitions out anew."""
        self.groups[self.chance.choice(list(self.groups))].is_rebalancing = True

    def compact(self) -> None:
        self.cluster.compact(Place(CHANGELOG, self.chance.randrange(PARTITIONS)))

    # -- the end ---------------------------------------------------------------------------------

    def finish(self) -> None:
        """Let everything come to rest with nothing going wrong, and some days pass."""
        self.wake()
        for group in self.groups.values():
            group.is_rebalancing = True
        for pass_time in (self.pass_time, self.customers.pass_days):
            pass_time()
            self._settle()
            self.tick()
            self._settle()
        # Whatever was learned last becomes a snapshot, whose switch is read and saved.
        self.customers.pass_days()
        self._settle()
        while self._unread():
            self._settle()

    def _unread(self) -> list[Place]:
        """Return what is not read and committed; a model's lessons are safe in its snapshots."""
        return [
            place
            for name in ("intake", "decide")
            for place in self.groups[name].places
            if self.groups[name].committed.get(place, 0) < self.cluster.ends[place]
        ]

    def _settle(self) -> None:
        for saves in (False, True, False):
            for _ in range(_ENOUGH):
                self._form_groups()
                if not self._everybody(saves):
                    break
                saves = False
            else:
                raise AssertionError("this history does not come to rest")

    def _everybody(self, saves: bool) -> bool:
        """Let everybody who can take a step; return whether somebody did."""
        moved = saves
        for worker, process in list(self.workers.items()):
            for member in process.members.values():
                while member.post.on_its_way:
                    member.post.deliver_some()
                for name in member.ready():
                    begins = name == "checkpoint" and name not in member.tasks
                    if (saves or not begins) and worker in self.workers and name in member.ready():
                        self._try(worker, partial(member.go_on, name))
                        moved = True
        return moved

    def _try(self, worker: int, go_on: Callable[[], None]) -> None:
        """Take a step of a worker's; what could not be sent ends it."""
        try:
            go_on()
        except DeliveryFailed:
            self.noted["delivery failed"] += 1
            self._end(worker)

    # -- groups --------------------------------------------------------------------------------

    def _note_awake(self) -> None:
        self.awake = [w for w, process in self.workers.items() if process.frozen_at_s is None]

    def _form_groups(self) -> None:
        """Have members give up what they own, and begin anew when all of them have."""
        for name, group in self.groups.items():
            if not group.is_rebalancing:
                continue
            members = {worker: self.workers[worker].members[name] for worker in self.awake}
            for member in members.values():
                member.revoke()
            # Sleepers that are still members are waited for, until they are evicted.
            asleep = group.members.keys() - members.keys()
            if members and not asleep and all(m.has_joined for m in members.values()):
                for worker, places in group.form(list(members)).items():
                    members[worker].take(places)

    def _new(self, worker: int) -> Process:
        members = {}
        for name, group in self.groups.items():
            post = Post(self.cluster, self.chance)
            role: Role
            if name == "intake":
                role = Intake(post, self.catalogues)
            elif name == "decide":
                role = make_decide(self.cluster, post, self.encoders, self.chance)
            else:
                role = make_learn(self.cluster, post, lambda: self.customers.now_ms)
            members[name] = Member(
                worker,
                role,
                post,
                self.cluster,
                group,
                self.chance,
                lambda: self.clock_s,
            )
        return Process(members)


def history(seed: int, steps: int) -> World:
    """Play a history of so many steps, then let it come to rest."""
    with running(Loop()):
        world = World(seed)
        for _ in range(steps):
            world.step()
        world.finish()
    return world
