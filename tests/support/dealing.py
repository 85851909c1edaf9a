"""How tests are dealt out to processes: a module with brokers as a whole, all others one by one."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

# Their fixtures are a broker, a worker and a story that many tests look at.
_WITH_BROKERS = ("tests/chaos/", "tests/integration/", "tests/scenarios/test_on_brokers.py")


class ModulesOfBrokersWhole(LoadScopeScheduling):  # type: ignore[misc]  # untyped upstream
    """Deals the largest modules out first, so that single tests fill what time is left."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("::")[0] if nodeid.startswith(_WITH_BROKERS) else nodeid
