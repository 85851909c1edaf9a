"""Two processes of tests: one has the brokers to itself, the other has all that needs none."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

# Their session timeouts ask for a machine that is not busy with another broker too, and a Kafka
# takes its time to start: one for all of them.
_WITH_BROKERS = ("tests/chaos/", "tests/integration/", "tests/scenarios/test_on_brokers.py")


class BrokersApart(LoadScopeScheduling):  # type: ignore[misc]  # untyped upstream
    """Deals tests out one by one, all those with brokers to one process, and first."""

    def _split_scope(self, nodeid: str) -> str:
        return "brokers" if nodeid.startswith(_WITH_BROKERS) else nodeid
