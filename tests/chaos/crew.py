"""Several workers on one installation, and how far they have come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from schemas.topics import INPUTS, TIMELINE, Topic
from streams.shell.process.serve import EXIT_OK
from tests.integration.world import READS, World
from tests.integration.world_worker import Worker
from tests.support.patience import PATIENCE_S

_LOOK_EVERY_S = 0.02


class Crew(World):
    """The workers that are expected to live are `alive`; whoever waits looks at them too."""

    def __init__(self, bootstrap: str, prefix: str, **settings: Any) -> None:
        super().__init__(bootstrap, prefix, **settings)
        self.alive: list[Worker] = []

    def start(self, **settings: Any) -> Worker:
        """Start a worker that is expected to live; it need not be ready. `roles="decide"` etc."""
        worker = super().start(**settings)
        self.alive.append(worker)
        return worker

    def start_doomed(self, failpoint: str, **settings: Any) -> Worker:
        """Start a worker that will kill or freeze itself."""
        return super().start(failpoint=failpoint, **settings)

    def start_ready(self, **settings: Any) -> Worker:
        """Start a worker and wait until every role of it has its partitions and state."""
        worker = self.start(**settings)
        worker.await_ready()
        return worker

    def kill(self, worker: Worker) -> None:
        """End a worker at once, as a crash would."""
        self.alive.remove(worker)
        worker.kill()

    def terminate(self, worker: Worker) -> None:
        """Ask a worker to end, and insist that it ends in order."""
        self.alive.remove(worker)
        code = worker.terminate()
        assert code == EXIT_OK, f"exit code {code} after SIGTERM\n{worker.said()[-6_000:]}"

    def await_true(
        self, true: Callable[[], bool], what: str, patience_s: float = PATIENCE_S
    ) -> None:
        """Wait for something while all workers live that should."""
        deadline_s = time.monotonic() + patience_s
        while not true():
            for worker in self.alive:
                code = worker.process.poll()
                assert code is None, (
                    f"a worker ended with {code}, before {what}\n{worker.said()[-6_000:]}"
                )
            assert time.monotonic() < deadline_s, f"waited {patience_s:.0f} s in vain for {what}"
            time.sleep(_LOOK_EVERY_S)

    # -- how far -------------------------------------------------------------------------------

    def await_admitted(self, slack: int = 0) -> None:
        """Wait until intake has committed all but `slack` records of the input topics."""
        self.await_true(
            lambda: self.lag("intake") <= slack, f"intake to commit all but {slack} records"
        )

    def await_drained(self, roles: Iterable[str] = READS, patience_s: float = PATIENCE_S) -> None:
        """Wait until nothing is left to be done, and all of it is committed."""
        topics = [topic for role in roles for topic in READS[role]]

        def is_drained() -> bool:
            before = self.ends(topics)
            committed = self.committed()
            now = self.ends(topics)
            return before == now and all(committed[place] == end for place, end in now.items())

        self.await_true(is_drained, "all work to be committed", patience_s)

    def lag(self, role: str) -> int:
        """Return how many records a role has not committed yet."""
        ends = self.ends(READS[role])
        committed = self.committed([role])
        return sum(end - committed[place] for place, end in ends.items())

    def how_far(self) -> str:
        """Return what is committed and what is there, a line for each partition."""
        topics: list[Topic] = [*INPUTS, TIMELINE, *READS["learn"]]
        ends, committed = self.ends(topics), self.committed()
        return "\n".join(f"  {place}: {committed[place]} of {ends[place]}" for place in ends)
