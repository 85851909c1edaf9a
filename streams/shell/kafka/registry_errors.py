"""How a schema registry fails; apart from its client, which takes a quarter second to import."""

from __future__ import annotations

from streams.shell.exits import ConfigExit


class RegistryRefused(ConfigExit):
    """The registry answered, and said no: wrong address, wrong login, incompatible schema."""


class RegistryUnavailable(Exception):
    """The registry gave no answer; asking again later may help."""
