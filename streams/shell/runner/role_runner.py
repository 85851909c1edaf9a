"""One running role: positions, barrier and checkpoints, and what a rebalance does to them.

`faust_app` calls it for each group of chunks, each rebalance and the stop; it calls the role, the
consumer and the producers. The surprise: only a checkpoint commits, and after a failure nothing
does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter

from streams.shell.kafka.outbox import Outbox
from streams.shell.kafka_records import (
    Chunk,
    Partition,
    Write,
)
from streams.shell.runner.barrier import Barrier, set_within
from streams.shell.runner.checkpoint import (
    Checkpoint,
    CheckpointOutcome,
    Commit,
    Cut,
)
from streams.shell.runner.consumer_group import Broker
from streams.shell.runner.encode_ahead import encode_ahead, encoding_in_background
from streams.shell.runner.failpoint import Failpoint
from streams.shell.runner.positions import Positions
from streams.shell.runner.retention import Retention
from streams.shell.runner.role import Role
from streams.shell.runner.role_options import RoleOptions
from streams.shell.telemetry.metrics import (
    CHECKPOINT,
    CUT_PAUSE,
    RECOVERY,
    MetricDeclaration,
    Metrics,
)
from streams.shell.telemetry.progress import RoleProgress
from streams.shell.wall_clock import now_ms


class RoleRunner:
    """Everything that one role needs between Kafka and its agent.

    `outbox` sends outputs, `writer` the stages of checkpoints. `failed` is called with each
    failure; after the first one nothing is committed. With `metrics` None nothing is measured.
    """

    def __init__(
        self,
        role: Role,
        options: RoleOptions,
        outbox: Outbox,
        writer: Outbox,
        progress: RoleProgress,
        failed: Callable[[BaseException], None],
        metrics: Metrics | None = None,
    ) -> None:
        self.role = role
        self.options = options
        self.outbox = outbox
        self.writer = writer
        self.progress = progress
        self.progress.unacknowledged = self.outbox.unacknowledged
        self.epoch = 0
        self.broker: Broker | None = None
        self.barrier = Barrier()
        self.checkpoint = Checkpoint(self, options.session_timeout_s / 2)
        self.checkpoint_due = asyncio.Event()
        self._failed = failed
        self._metrics = metrics
        self._shut_at_s = self._cut_at_s = 0.0
        self._failpoint = Failpoint(options.failpoint)
        self._positions = Positions(progress)
        self._retention = Retention(options, role.name, metrics)
        self._recovered = self._fenced = self._broken = False

    # -- failure -------------------------------------------------------------------------------

    def fail(self, error: BaseException) -> None:
        """Stop the worker: nothing is committed from now on."""
        self._broken = True
        self._failed(error)
        # The chunks that failed are never finished, and nothing must wait for them.
        self.barrier.leave()

    def _check(self) -> None:
        if self._broken:
            raise RuntimeError(f"{self.role.name}: the worker has failed, nothing is committed")

    # -- chunks --------------------------------------------------------------------------------

    async def enter(self, *chunks: Chunk) -> bool:
        """Wait for the barrier; return whether these chunks may be worked on (False if stale)."""
        await self.barrier.enter()
        if not self._recovered or self._broken or any(c.epoch != self.epoch for c in chunks):
            self.barrier.leave()
            return False
        self._positions.check(chunks)
        return True

    def finished(self, *chunks: Chunk) -> None:
        """Move the positions past the chunks and let the next ones through."""
        self._positions.advance(chunks)
        if self._positions.records_since_cut >= self.options.checkpoint_every_records:
            self.checkpoint_due.set()
        self.barrier.leave()

    async def check_gap(self, chunk: Chunk) -> None:
        """Report records that are missing between the position and the chunk, or raise."""
        first, _ = (await self._broker().bounds([chunk.tp]))[chunk.tp]
        self._retention.check_gap(chunk, first)

    # -- rebalances ----------------------------------------------------------------------------

    async def before_revoke(self) -> None:
        """Finish the chunks under work and take the last checkpoint before partitions are lost."""
        await self.barrier.shut("rebalance")
        if self._recovered and not self._fenced and not self._broken:
            try:
                await self.checkpoint.run()
            except Exception as error:
                self.fail(error)
                raise
        self._recovered = False
        self.progress.recovered = False

    def after_revoke(self) -> None:
        """Drop all state; the next `recover` reads it back, also for partitions that are kept."""
        self.epoch += 1
        self._positions.clear()
        self.role.revoked()

    async def recover(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Read state back for an assignment and return where its partitions start."""
        self.progress.assigned = True
        begun_at_s = perf_counter()
        broker = self._broker()
        committed = await broker.committed(partitions)
        bounds = await broker.bounds(partitions)
        starts = self._retention.starting_points(committed, bounds)
        new = {partition for partition in committed if committed[partition] is None}
        wanted = await self.role.assigned(starts, new)
        # A role may go back to learn records again, at most to the first that still exists.
        starts = {partition: max(at, bounds[partition][0]) for partition, at in wanted.items()}
        if new:
            # State is written before an offset is committed: an offset without state is
            # `StateLost`.
            first_cut = self.role.cut(starts)
            for stage in first_cut.stages:
                await self.writer.write(stage)
            self.role.written(first_cut)
            # A later start then finds the same offset, even if nothing is read until then. The
            # group refuses only during a rebalance, which starts the recovery again.
            await broker.commit_positions({partition: starts[partition] for partition in new})
        self._positions.begin(starts, {partition: end for partition, (_, end) in bounds.items()})
        self._observe(RECOVERY, perf_counter() - begun_at_s)
        return starts

    def resume(self) -> None:
        """Open the barrier: state and positions belong together again."""
        self._fenced = False
        self._recovered = True
        self.progress.recovered = True
        self.barrier.open("rebalance")

    async def drain(self) -> None:
        """Finish the chunks under work, take the last checkpoint, and drop all state."""
        # Chunks that are not finished in time are read again at the next start: nothing is lost.
        if await self.barrier.shut_soon("stop") and self._recovered and not self._broken:
            await self.checkpoint.run()
        # The timer may start another checkpoint. Without the state that belongs to the positions,
        # it would commit offsets whose state was never written.
        self._recovered = self.progress.recovered = False
        self.role.revoked()

    # -- the parts of a checkpoint -------------------------------------------------------------

    async def shut(self) -> None:
        """Let no chunks through and wait for those under work."""
        self._check()
        await encode_ahead(self.role)
        self._shut_at_s = perf_counter()
        await self.barrier.shut("checkpoint")

    def cut(self) -> Cut | None:
        """Return what changed since the last cut, and hold new outputs back."""
        self._check()
        if not self._recovered or self._fenced:
            return None
        cut = self.role.cut(self._positions.cut())
        if cut.positions == self._positions.committed and not any(cut.stages):
            return None
        self.outbox.hold()
        self._cut_at_s = perf_counter()
        self._observe(CUT_PAUSE, self._cut_at_s - self._shut_at_s)
        return cut

    def open(self) -> None:
        """Let chunks through again."""
        self.barrier.open("checkpoint")

    async def outputs_acknowledged(self) -> None:
        """Wait for every output sent before the cut."""
        await self.outbox.flush_and_release()

    async def probe(self) -> Commit:
        """Commit the committed positions again: the group refuses if the partitions are lost."""
        return await self._commit(self._positions.committed)

    async def send(self, records: Sequence[Write]) -> None:
        """Send a part of a stage."""
        self._check()
        await self._failpoint.half(self.role.name, records, self.writer.write)
        await self.writer.publish_now(records)

    async def sent(self) -> None:
        """Wait until all of a stage is acknowledged."""
        await self.writer.flush()

    def written(self, cut: Cut) -> None:
        """Tell the role that the cut is durable."""
        self.role.written(cut)

    async def commit(self, cut: Cut) -> Commit:
        """Commit the positions of the cut."""
        if (done := await self._commit(cut.positions)) is Commit.DONE:
            self._positions.note_committed(cut.positions)
            self._observe(CHECKPOINT, perf_counter() - self._cut_at_s)
        return done

    def step(self, name: str) -> None:
        """Note a finished step; a failpoint may end the process here."""
        self._failpoint.reached(self.role.name, name)

    async def run_checkpoints(self) -> None:
        """Take checkpoints when they are due, until cancelled."""
        with encoding_in_background(self.role):
            while True:
                await self._take_checkpoint()

    async def _take_checkpoint(self) -> None:
        await set_within(self.checkpoint_due, self.options.checkpoint_every_s)
        outcome = await self.checkpoint.run() if self._recovered else CheckpointOutcome.BUSY
        if outcome is CheckpointOutcome.FENCED:
            # The barrier stays shut until the worker has joined again and has read its state back.
            await self.barrier.shut("rebalance")
        elif (
            outcome is not CheckpointOutcome.BUSY and not self._fenced
        ):  # also with nothing to write
            self.progress.last_checkpoint_at_ms = now_ms()

    async def _commit(self, positions: Mapping[Partition, int]) -> Commit:
        self._check()
        done = await self._broker().commit_positions(positions)
        if done is Commit.FENCED:
            self._fenced = True
        return done

    def _observe(self, metric: MetricDeclaration, seconds: float) -> None:
        if self._metrics is not None:
            self._metrics.observe(metric, [seconds], self.role.name)

    def _broker(self) -> Broker:
        if self.broker is None:
            raise RuntimeError("the consumer has not been created yet")
        return self.broker
