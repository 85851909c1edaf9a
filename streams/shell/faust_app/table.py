"""The customers table: state by timeline partition, written to its changelog at checkpoints.

The Faust table gives the changelog its name and its assignment, together with the timeline's
partitions. Faust's own writing, one record for each change at any time, raises an error.
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
        """Raise TypeError: a change sent before its checkpoint could outlive a replay."""
        raise TypeError("state is changed through Partitions, and a checkpoint writes it")
