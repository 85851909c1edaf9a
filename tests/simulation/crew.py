"""The workers: who is there, awake or asleep, and how groups deal their partitions out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from streams.shell.kafka.outbox import DeliveryFailed
from streams.shell.kafka_records import Partition
from streams.shell.runner.role import Role
from tests.simulation.cluster import LESSONS, PARTITIONS, TIMELINE, Cluster, Group
from tests.simulation.post import Post
from tests.simulation.process import OPTIONS, Member, Process
from tests.simulation.roles import SOURCES

_MOST_WORKERS = 2
# Steps that a quiet end may take; a history that needs more is stuck.
_ENOUGH = 20_000


class Crew:
    """All workers; `make` returns a role of a new one by its name."""

    def __init__(self, cluster: Cluster, chance: Random, make: Callable[[str, Post], Role]) -> None:
        self._cluster, self._chance, self._make = cluster, chance, make
        self._noted = cluster.noted
        timeline = [Partition(TIMELINE, number) for number in range(PARTITIONS)]
        places = {"intake": SOURCES, "decide": timeline, "learn": [Partition(LESSONS, 0)]}
        self.groups = {name: Group(each, chance, self._noted) for name, each in places.items()}
        self.workers: dict[int, Process] = {}
        self.awake: list[int] = []
        self.clock_s = 0.0
        self._started = 0
        for _ in range(_MOST_WORKERS):
            self.start()

    def start(self) -> None:
        """Start a worker where one is missing."""
        if len(self.workers) < _MOST_WORKERS:
            self._started += 1
            members = {name: self._member(self._started, name) for name in self.groups}
            self.workers[self._started] = Process(members)
            self._note_awake()
            self.rebalance_all()

    def _member(self, worker: int, name: str) -> Member:
        post, group = Post(self._cluster, self._chance), self.groups[name]
        role, clock_s = self._make(name, post), lambda: self.clock_s
        return Member(worker, role, post, self._cluster, group, self._chance, clock_s)

    def rebalance_all(self) -> None:
        for group in self.groups.values():
            group.is_rebalancing = True

    def end(self, worker: int) -> None:
        """End a worker at once; there is always another."""
        self.workers.pop(worker).die(self._noted)
        for group in self.groups.values():
            if group.members.pop(worker, None) is not None:
                group.is_rebalancing = True
        self._note_awake()
        if not self.awake:
            self.start()

    def freeze(self, worker: int) -> None:
        """Send a worker to sleep, unless nobody else is awake."""
        if len(self.awake) > 1:
            self.workers[worker].frozen_at_s = self.clock_s
            self._note_awake()
            self._noted["freeze"] += 1

    def disturb_sleepers(self, draw: float) -> None:
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
                self._noted["late wake"] += 1
                for member in process.members.values():
                    for post in (member.post, member.writer):
                        post.arrive_late()
            process.frozen_at_s = None
        self._note_awake()

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

    # -- steps ---------------------------------------------------------------------------------

    def try_step(self, worker: int, go_on: Callable[[], None]) -> None:
        """Take a step of a worker's; what could not be sent ends it."""
        try:
            go_on()
        except DeliveryFailed:
            self._noted["delivery failed"] += 1
            self.end(worker)

    def settle(self) -> None:
        """Let everybody work, save, and work again until nothing is left to do."""
        for saves in (False, True, False):
            for _ in range(_ENOUGH):
                self.form_groups()
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
                        self.try_step(worker, partial(member.go_on, name))
                        moved = True
        return moved

    def unread(self) -> list[Partition]:
        """Return what is not read and committed; a model's lessons are safe in its snapshots."""
        return [
            place
            for name in ("intake", "decide")
            for place in self.groups[name].places
            if self.groups[name].committed.get(place, 0) < self._cluster.ends[place]
        ]

    # -- groups --------------------------------------------------------------------------------

    def _note_awake(self) -> None:
        self.awake = [w for w, process in self.workers.items() if process.frozen_at_s is None]

    def form_groups(self) -> None:
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
