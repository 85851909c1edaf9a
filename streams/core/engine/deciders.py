"""Which versions are in use at a place of the timeline, and what decides under them."""

from __future__ import annotations

from schemas.records import CATALOGUE, MODEL, Switch
from streams.core.decision.challenger_decision import challenger_of
from streams.core.decision.decider import Decider
from streams.core.decision.plan import Plan
from streams.core.decision.version_lookup import Versions
from streams.core.state.partition import PartitionState, SwitchedVersion
from streams.core.state.store import StateStore

# How many switches a partition remembers: those since the last checkpoint may be asked for again,
# and the newest of each name always. A worker checkpoints every second or so, so 64 is ample.
MAX_SWITCHES = 64
# Versions made ready besides the one in use: partitions switch one after the other.
KEPT = 7


class Deciders:
    """What decides under each combination of versions, made ready once."""

    def __init__(self, versions: Versions, salt: str) -> None:
        self._versions = versions
        self._salt = salt
        self._plans: dict[str, Plan] = {}
        self._deciders: dict[tuple[str, str | None, str | None], Decider] = {}

    def at(self, known: PartitionState, offset: int) -> Decider | None:
        """Return what decides for the record at `offset`; None before the first catalogue.

        Raises `KeyError` when a version in use is not at hand (see `Versions`).
        """
        version = known.version(CATALOGUE, CATALOGUE, offset)
        if version is None:
            return None
        catalogue = self._versions.catalogue(version)
        model = known.version(MODEL, catalogue.scored_by, offset)
        rival = catalogue.challenged_by and known.version(MODEL, catalogue.challenged_by, offset)
        decider = self._deciders.get((version, model, rival))
        if decider is None:
            plan = self._plans.get(version) or Plan(catalogue)
            scorer = self._versions.scorer(catalogue.scored_by, model, plan.keys)
            decider = Decider(plan, scorer, self._salt, challenger_of(plan, self._versions, rival))
            self._plans = {**dict(list(self._plans.items())[-KEPT:]), version: plan}
            self._deciders = {
                **dict(list(self._deciders.items())[-KEPT:]),
                (version, model, rival): decider,
            }
        return decider


def note_switch(offset: int, record: Switch, store: StateStore) -> None:
    """Remember that a version took effect at `offset`; a repeat changes nothing."""
    known = store.partition_state()
    if known.version(record.kind, record.name, offset) == record.version:
        return
    switches = [*known.switches, SwitchedVersion(offset, record.kind, record.name, record.version)]
    newest = {(switch.kind, switch.name): switch for switch in switches}
    known.switches = [
        switch
        for place, switch in enumerate(switches)
        if place >= len(switches) - MAX_SWITCHES or newest[switch.kind, switch.name] is switch
    ]
    store.put_partition_state(known)
