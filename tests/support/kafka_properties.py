"""What a broker of the tests is told: one plain listener, and whatever else a test asks for."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners={listeners}
advertised.listeners={listeners}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map={protocols}
log.dirs={folder}/data
num.partitions=4
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# A killed broker may register again after this long, not after 9 s.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# Compaction soon and often, so that tests can see it happen.
log.cleaner.backoff.ms=500
"""


@dataclass(frozen=True)
class Listener:
    """A further port of a broker.

    `name` is letters only; `protocol` is Kafka's (SSL, SASL_PLAINTEXT, SASL_SSL); `properties` are
    the broker's own, without their `listener.name.<name>.`.
    """

    name: str
    protocol: str
    properties: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=lambda: free_port())

    @property
    def address(self) -> str:
        """Where clients find it: by a name, as certificates have it."""
        return f"localhost:{self.port}"


def server_properties(
    port: int,
    controller: int,
    folder: Path,
    listeners: Sequence[Listener],
    further: Mapping[str, str],
) -> str:
    """Return the text of a server.properties; `further` goes before what is here."""
    named = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT"}
    named.update({each.name: each.protocol for each in listeners})
    addresses = [f"PLAINTEXT://127.0.0.1:{port}", f"CONTROLLER://127.0.0.1:{controller}"]
    addresses += [f"{each.name}://{each.address}" for each in listeners]
    lines = _PROPERTIES.format(
        controller=controller,
        listeners=",".join(addresses),
        protocols=",".join(f"{name}:{protocol}" for name, protocol in named.items()),
        folder=folder,
    ).splitlines()
    lines += [
        f"listener.name.{each.name.lower()}.{name}={value}"
        for each in listeners
        for name, value in each.properties.items()
    ]
    lines = [line for line in lines if line.split("=")[0] not in further]
    lines += [f"{name}={value}" for name, value in further.items()]
    return "\n".join(lines) + "\n"


def follower_properties(port: int) -> dict[str, str]:
    """Return what makes a second broker of one that only keeps copies, without a controller."""
    address = f"PLAINTEXT://127.0.0.1:{port}"
    return {
        "process.roles": "broker",
        "node.id": "2",
        "listeners": address,
        "advertised.listeners": address,
    }


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
