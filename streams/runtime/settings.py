"""Every setting, once: name, environment variable, default, unit, bounds and help.

`Settings.from_env(os.environ)` is the only way in for a deployed worker; tests and the demo build
the dataclass themselves. A value that exists is a value that was checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streams.runtime.connection_settings import ConnectionSettings
from streams.runtime.contradictions import contradictions
from streams.runtime.declared import (
    TEST_VARIABLES,
    Declaration,
    SettingsError,
    declarations,
    markdown_table,
    read,
    setting,
    value_problem,
)

__all__ = ["ROLES", "SETTINGS", "Settings", "SettingsError", "help_table"]

ROLES = ("intake", "decide", "learn")

_DAY_MS = 86_400_000


@dataclass(frozen=True, kw_only=True)
class Settings(ConnectionSettings):
    """What a deployment decides. Every field has a default that suits a laptop.

    Raises SettingsError when a value is out of its bounds or two values contradict each other.
    """

    app_id: str = setting(
        "concierge", "Prefix of the consumer groups: <app id>-intake, -decide and -learn."
    )
    topic_prefix: str = setting("", "Put in front of every topic name, for example `staging.`.")
    replication_factor: int = setting(
        1, "Copies of each topic when `concierge topics --create` makes it.", minimum=1, maximum=9
    )
    roles: tuple[str, ...] = setting(
        ROLES, "What this worker does; at scale each role gets its own workers.", choices=ROLES
    )
    instance_id: str = setting(
        "",
        "Unique name of this worker that survives its restart (static membership): partitions "
        "come back to it without a rebalance. Of two workers with one name the first ends (exit "
        "code 78). Empty: none.",
    )
    session_timeout_ms: int = setting(
        30_000,
        "A worker silent for this long loses its partitions; above CONCIERGE_DELIVERY_TIMEOUT_MS.",
        unit="ms",
        minimum=6_000,
        maximum=300_000,
    )

    catalogue_path: str = setting(
        "", "Catalogue of actions (YAML). Empty: the shop that ships with Concierge."
    )
    salt: str = setting(
        "concierge",
        "Seed of every draw and experiment arm. Changing it deals all customers anew; keep it "
        "private, who knows it can foretell draws.",
        secret=True,
    )
    hot_customers: int = setting(
        100_000,
        "Customers per process whose state stays decoded, some 5 kB each; the others stay bytes.",
        minimum=100,
        maximum=10_000_000,
    )

    checkpoint_interval_ms: int = setting(
        1_000, "Longest time between checkpoints.", unit="ms", minimum=10, maximum=600_000
    )
    checkpoint_max_events: int = setting(
        50_000,
        "A checkpoint is due after this many records even before its time.",
        minimum=1,
        maximum=1_000_000,
    )
    delivery_timeout_ms: int = setting(
        20_000,
        "A record that the brokers have not taken for this long ends the worker (exit code 70, "
        "nothing further committed): the longest restart of a broker that a worker sits out.",
        unit="ms",
        minimum=1_000,
        maximum=600_000,
    )
    compression: str = setting(
        "gzip",
        "How next-best-actions, decisions and dead letters are compressed. Every client reads "
        "`gzip`; kafkajs (Node) reads the others only with a codec added.",
        choices=("gzip", "zstd", "lz4", "snappy", "none"),
    )
    fetch_max_wait_ms: int = setting(
        10,
        "How long a broker may hold a fetch to fill it: lower is quicker, higher is cheaper.",
        unit="ms",
        minimum=1,
        maximum=1_000,
    )
    snapshot_every_lessons: int = setting(
        500,
        "A new model version is published after this many lessons.",
        minimum=1,
        maximum=1_000_000,
    )
    snapshot_interval_ms: int = setting(
        60_000,
        "Lessons wait no longer than this for a new version, however few they are.",
        unit="ms",
        minimum=100,
        maximum=_DAY_MS,
    )
    keep_snapshots: int = setting(
        64, "Newest model versions kept on the snapshots topic.", minimum=2, maximum=1_000
    )

    clock: str = setting(
        "wall",
        "Who writes the ticks that make timers fire: `wall` is this worker; `off` leaves it to a "
        "feed in simulated time.",
        choices=("wall", "off"),
    )
    clock_interval_ms: int = setting(
        1_000, "Time between two ticks of the wall clock.", unit="ms", minimum=10, maximum=60_000
    )
    oldest_event_ms: int = setting(
        946_684_800_000,
        "Events dated before this instant (UTC epoch; default 2000-01-01) are refused.",
        unit="ms",
        minimum=0,
    )
    future_ms: int = setting(
        300_000,
        "How far ahead of its arrival an event may be dated.",
        unit="ms",
        minimum=0,
        maximum=_DAY_MS,
    )
    stale_ms: int = setting(
        3_600_000,
        "Events older than this on arrival are remembered but not answered, such as a fed history; "
        "0 answers all. Only with the wall clock.",
        unit="ms",
        minimum=0,
    )
    dead_letter_limit: int = setting(
        1_000,
        "More bad records than this, arrived within the window, stop the worker.",
        minimum=1,
    )
    dead_letter_window_ms: int = setting(
        60_000, "The window of the dead-letter limit.", unit="ms", minimum=1_000, maximum=_DAY_MS
    )

    http_host: str = setting(
        "127.0.0.1",
        "Address of /metrics, /healthz and /readyz. Anything but loopback needs the token.",
    )
    http_port: int = setting(
        8_000, "Port of the same; 0 takes a free one.", minimum=0, maximum=65_535
    )
    http_token: str = setting("", "Bearer token that the HTTP pages ask for.", secret=True)
    stall_ms: int = setting(
        30_000,
        "A role with work waiting that has not moved for this long is unhealthy.",
        unit="ms",
        minimum=1_000,
        maximum=_DAY_MS,
    )
    broker_silence_ms: int = setting(
        10_000,
        "When no broker has answered for this long, /healthz turns 503 and the log says so.",
        unit="ms",
        minimum=2_000,
        maximum=600_000,
    )
    log_level: str = setting(
        "info",
        "Least severe log line that is written.",
        choices=("debug", "info", "warning", "error"),
    )
    log_format: str = setting(
        "text",
        "Log lines for people or, one JSON object each, for machines.",
        choices=("text", "json"),
    )

    # For crash tests only; the first has to allow the second.
    test_faults: str = setting("no", "Whether failpoints are allowed.", choices=("no", "yes"))
    failpoint: str = setting("", "Where the worker kills itself (role:step:n). Never set it live.")

    def __post_init__(self) -> None:
        problems = [
            problem
            for declared in SETTINGS
            if (problem := value_problem(declared, getattr(self, declared.name))) is not None
        ]
        problems += contradictions(self)
        if problems:
            raise SettingsError(problems)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read every setting from an environment; SettingsError lists all that is wrong.

        >>> Settings.from_env({"CONCIERGE_HTTP_PORT": "9000"}).http_port
        9000
        """
        return cls(**read(cls, environ, TEST_VARIABLES))

    def shown(self) -> list[tuple[str, str]]:
        """Return (variable, value) of every setting, secrets hidden."""
        return [(each.env, each.shown(getattr(self, each.name))) for each in SETTINGS]


SETTINGS: list[Declaration] = declarations(Settings)


def help_table() -> str:
    """Return all settings as a Markdown table, for the docs and `--help`."""
    return markdown_table(SETTINGS)
