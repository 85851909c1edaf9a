"""The state of one running role: positions, gate, checkpoints and what a rebalance does to them.

This is where the pieces meet; Faust calls in through `app`, `transport` and `recovery`.
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
from streams.shell.runner.encode_ahead import encode_ahead, encoding_along
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
    """Everything one role needs between Kafka and its agent.

    `failed` is told of the first failure; from then on nothing is committed. `metrics` None
    measures nothing.
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
        self._ledger = Positions(progress)
        self._retention = Retention(options, role.name, metrics)
        self._recovered = self._fenced = self._broken = False

    # -- failure -------------------------------------------------------------------------------

    def fail(self, error: BaseException) -> None:
        """Stop the worker: nothing is committed from now on."""
        self._broken = True
        self._failed(error)
        # The chunk that failed is never finished; nobody is to wait for it.
        self.barrier.leave()

    def _check(self) -> None:
        if self._broken:
            raise RuntimeError(f"{self.role.name}: the worker has failed, nothing is committed")

    # -- chunks --------------------------------------------------------------------------------

    async def enter(self, *chunks: Chunk) -> bool:
        """Wait for the gate; return whether chunks of one fetch may be worked on (not if stale)."""
        await self.barrier.enter()
        if not self._recovered or self._broken or any(c.epoch != self.epoch for c in chunks):
            self.barrier.leave()
            return False
        self._ledger.check(chunks)
        return True

    def finished(self, *chunks: Chunk) -> None:
        """Move the positions past the chunks and let the next ones in."""
        self._ledger.advance(chunks)
        if self._ledger.records_since_cut >= self.options.checkpoint_every_records:
            self.checkpoint_due.set()
        self.barrier.leave()

    async def check_gap(self, chunk: Chunk) -> None:
        """Tell of records between the position and the chunk that are gone, or raise."""
        first, _ = (await self._broker().bounds([chunk.tp]))[chunk.tp]
        self._retention.check_gap(chunk, first)

    # -- rebalances ----------------------------------------------------------------------------

    async def before_revoke(self) -> None:
        """Finish the chunk under work and take the final checkpoint while we still may."""
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
        """Drop all memory: dropping it and reading it back are one operation."""
        self.epoch += 1
        self._ledger.clear()
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
        # A role may go back to learn something again, as far as there is something.
        starts = {partition: max(at, bounds[partition][0]) for partition, at in wanted.items()}
        if new:
            # Before an offset says that there is state, there is: else it was lost (`StateLost`).
            first_cut = self.role.cut(starts)
            for stage in first_cut.stages:
                await self.writer.write(stage)
            self.role.written(first_cut)
            # So that a later start finds the same place, even if it reads nothing until then.
            # Refused only in a rebalance, which starts all of this again.
            await broker.commit_positions({partition: starts[partition] for partition in new})
        self._ledger.begin(starts, {partition: end for partition, (_, end) in bounds.items()})
        self._observe(RECOVERY, perf_counter() - begun_at_s)
        return starts

    def resume(self) -> None:
        """Open the gate: state and positions belong together again."""
        self._fenced = False
        self._recovered = True
        self.progress.recovered = True
        self.barrier.open("rebalance")

    async def drain(self) -> None:
        """Finish the chunk under work, take the last checkpoint, and drop all memory."""
        # A chunk that does not end in time is read again at the next start, and so is no loss.
        if await self.barrier.shut_soon("stop") and self._recovered and not self._broken:
            await self.checkpoint.run()
        # The timer may call for another one: without the memory that goes with the positions, it
        # would commit what nothing holds.
        self._recovered = self.progress.recovered = False
        self.role.revoked()

    # -- the parts of a checkpoint -------------------------------------------------------------

    async def shut(self) -> None:
        """Let no chunk through and wait for the one under work."""
        self._check()
        await encode_ahead(self.role)
        self._shut_at_s = perf_counter()
        await self.barrier.shut("checkpoint")

    def cut(self) -> Cut | None:
        """Return what changed since the last cut, and hold new outputs back."""
        self._check()
        if not self._recovered or self._fenced:
            return None
        cut = self.role.cut(self._ledger.cut())
        if cut.positions == self._ledger.committed and not any(cut.stages):
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
        """Ask whether we still own what we are about to write, by committing it as it was."""
        return await self._commit(self._ledger.committed)

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
            self._ledger.note_committed(cut.positions)
            self._observe(CHECKPOINT, perf_counter() - self._cut_at_s)
        return done

    def step(self, name: str) -> None:
        """Note a finished step; a failpoint may end the process here."""
        self._failpoint.reached(self.role.name, name)

    async def run_checkpoints(self) -> None:
        """Take checkpoints when they are due, until cancelled."""
        with encoding_along(self.role):
            while True:
                await self._take_checkpoint()

    async def _take_checkpoint(self) -> None:
        await set_within(self.checkpoint_due, self.options.checkpoint_every_s)
        outcome = await self.checkpoint.run() if self._recovered else CheckpointOutcome.BUSY
        if outcome is CheckpointOutcome.FENCED:
            # The gate stays shut until the group has taken us back and state is read again.
            await self.barrier.shut("rebalance")
        elif outcome is not CheckpointOutcome.BUSY and not self._fenced:  # nothing to save is saved
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
