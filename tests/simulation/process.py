"""A worker process: three roles, each with the product's shell, and whatever is under way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, cast

from streams.shell.kafka_records import Chunk, Partition
from streams.shell.runner.checkpoint import Checkpoint, CheckpointOutcome, Commit
from streams.shell.runner.role import Role
from streams.shell.runner.role_options import RoleOptions
from streams.shell.runner.role_runner import RoleRunner
from streams.shell.telemetry.progress import RoleProgress
from tests.simulation.cluster import Cluster, Group
from tests.simulation.loop import Task, pause
from tests.simulation.post import Post

OPTIONS = RoleOptions("nowhere:9092")


class NotingRunner(RoleRunner):
    """The product's shell, telling how far its checkpoint is."""

    reached = ""

    def step(self, name: str) -> None:
        self.reached = name


class Consumer:
    """The shell's view of its group, a pause before and after everything that crosses the wire."""

    def __init__(self, cluster: Cluster, group: Group, worker: int) -> None:
        self._cluster, self._group, self._worker = cluster, group, worker

    async def commit_positions(self, positions: Mapping[Partition, int]) -> Commit:
        await pause()
        answer = self._group.commit(self._worker, positions)
        await pause()
        return answer

    async def committed(self, places: Iterable[Partition]) -> dict[Partition, int | None]:
        await pause()
        return {place: self._group.committed.get(place) for place in places}

    async def bounds(self, places: Iterable[Partition]) -> dict[Partition, tuple[int, int]]:
        await pause()
        return {place: (0, self._cluster.ends[place]) for place in places}


class Member:
    """One role of a process, as a member of its group."""

    def __init__(
        self,
        worker: int,
        role: Role,
        post: Post,
        cluster: Cluster,
        group: Group,
        chance: Random,
        clock_s: Callable[[], float],
    ) -> None:
        self.role, self.group, self.post = role, group, post
        self.writer = Post(cluster, chance)
        self._cluster, self._chance = cluster, chance
        self.runner = NotingRunner(
            role, OPTIONS, cast(Any, post), cast(Any, self.writer), RoleProgress(), self._failed
        )
        self.runner.broker = Consumer(cluster, group, worker)
        trust_s = OPTIONS.session_timeout_s / 2
        self.runner.checkpoint = Checkpoint(self.runner, trust_s, clock_s, part=2)
        self.tasks: dict[str, Task] = {}
        self.wants_to_join = True
        self.has_joined = False
        self._next: dict[Partition, int] = {}

    def _failed(self, error: BaseException) -> None:
        raise error

    # -- what it may do next -------------------------------------------------------------------

    def ready(self) -> list[str]:
        """Return what can go on now: tasks, and what may be begun."""
        found = [name for name, task in self.tasks.items() if task.ready]
        if self.runner._recovered:
            if "work" not in self.tasks and self.behind():
                found.append("work")
            if "checkpoint" not in self.tasks:
                found.append("checkpoint")
        return found

    def behind(self) -> list[Partition]:
        """Return the partitions with records it has not fetched."""
        return [place for place, at in self._next.items() if at < self._cluster.ends[place]]

    def go_on(self, name: str, steps: int = 1) -> None:
        """Take some steps; raises what the product raises."""
        task = self.tasks.get(name)
        if task is None:
            begin = self._work if name == "work" else self._save
            task = self.tasks[name] = Task(begin())
        while steps and task.ready:
            task.step()
            steps -= 1
        if task.done:
            del self.tasks[name]

    async def _work(self) -> None:
        behind = self.behind()
        chunks = [self._chunk(place) for place in self._chance.sample(behind, min(len(behind), 2))]
        if await self.runner.enter(*chunks):
            if read := [chunk for chunk in chunks if chunk.records]:
                await self.role.work(*read)
            self.runner.finished(*chunks)

    def _chunk(self, place: Partition) -> Chunk:
        start = self._next[place]
        most = self._chance.choice((1, 3, 8, 40))
        records, read_to = self._cluster.read(place, start, most)
        chunk = Chunk(place, records, start, self.runner.epoch, read_to)
        self._next[place] = chunk.end
        return chunk

    async def _save(self) -> None:
        self.runner.reached = "begin"
        outcome = await self.runner.checkpoint.run()
        self.runner.reached = ""
        if outcome is CheckpointOutcome.FENCED:
            await self.runner.barrier.shut("rebalance")
            self.wants_to_join = True

    # -- rebalances ----------------------------------------------------------------------------

    def revoke(self) -> None:
        """Begin to give everything up."""
        if (recovering := self.tasks.pop("recover", None)) is not None:
            recovering.drop()
        if "revoke" not in self.tasks and not self.has_joined:
            self.tasks["revoke"] = Task(self._revoke())

    async def _revoke(self) -> None:
        await self.runner.before_revoke()
        self.runner.after_revoke()
        self._next = {}
        self.has_joined, self.wants_to_join = True, False

    def take(self, places: list[Partition]) -> None:
        """Begin to recover what was assigned."""
        self.has_joined = False
        self.tasks["recover"] = Task(self._recover(places, self.runner.epoch))

    async def _recover(self, places: list[Partition], epoch: int) -> None:
        starts = await self.runner.recover(places)
        if self.runner.epoch == epoch:
            self._next = dict(starts)
            self.runner.resume()

    # -- the end -------------------------------------------------------------------------------

    def die(self, noted: Counter[str]) -> None:
        """End at once, wherever it is."""
        if "checkpoint" in self.tasks or "revoke" in self.tasks:
            where = "half" if self.writer.is_half_written else self.runner.reached
            noted[f"killed in a checkpoint of {self.role.name}: {where or 'begin'}"] += 1
        elif "work" in self.tasks:
            noted[f"killed at work: {self.role.name}"] += 1
        elif "recover" in self.tasks:
            noted[f"killed in recovery: {self.role.name}"] += 1
        for task in self.tasks.values():
            task.drop()
        for post in (self.post, self.writer):
            post.lose_some()


class Process:
    """The members of one worker; `frozen_at_s` is set while it sleeps."""

    def __init__(self, members: dict[str, Member]) -> None:
        self.members = members
        self.frozen_at_s: float | None = None

    def die(self, noted: Counter[str]) -> None:
        for member in self.members.values():
            member.die(noted)
