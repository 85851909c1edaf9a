"""The customers table: state by timeline partition, whose changes leave at a checkpoint.

The Faust table names the changelog and has its partitions assigned together with the timeline's;
its own way of writing (a record per change, sent whenever) is shut.
"""

from __future__ import annotations

from typing import Any, NoReturn

import faust

from streams.shell.faust_app.host import HostApp
from streams.shell.state.partitions import Partitions

NAME = "customers"


class CustomersTable(faust.Table[str, Any]):
    """The Faust table over `Partitions`; agents read and write through those."""

    app: HostApp

    def __init__(self, app: HostApp, partitions: Partitions) -> None:
        super().__init__(app, name=NAME, key_type=bytes, value_type=bytes)
        self.owned = partitions

    async def on_start(self) -> None:
        """Start nothing: there is no store, and topics are not created from here."""

    def send_changelog(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: a change that leaves before its checkpoint could outlive its own replay."""
        raise TypeError("state is changed through Partitions; it leaves at a checkpoint")
