"""Every setting, once: name, environment variable, default, unit, bounds and help.

A deployed worker reads them by `Settings.from_env(os.environ)`; tests and the demo construct the
dataclass. The constructor checks all values, so an existing `Settings` is valid.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from streams.shell.settings.fields import (
    DAY_MS,
    TEST_VARIABLES,
    Declaration,
    SettingsError,
    declarations,
    markdown_table,
    read_environment,
    setting,
    value_problem,
)
from streams.shell.settings.http_settings import HttpSettings, http_problems
from streams.shell.settings.kafka_settings import KafkaSettings, kafka_problems
from streams.shell.settings.registry_settings import RegistrySettings, registry_problems

__all__ = ["ROLES", "SETTINGS", "Settings", "SettingsError", "help_table"]

ROLES = ("intake", "decide", "learn")


@dataclass(frozen=True, kw_only=True)
class Settings(HttpSettings, RegistrySettings, KafkaSettings):
    """The settings of one worker. Every field has a default that suits a laptop.

    Raises SettingsError when a value is out of its bounds or two values contradict each other.
    """

    roles: tuple[str, ...] = setting(
        ROLES, "What this worker does; at scale each role gets its own workers.", choices=ROLES
    )

    catalogue_path: str = setting(
        "", "Catalogue of actions (YAML). Empty: the shop that ships with Concierge."
    )
    salt: str = setting(
        "concierge",
        "Seed of every draw and experiment arm. A change assigns all customers to arms again. Keep "
        "it private: with it, draws can be predicted.",
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
        "A checkpoint is also due after this many records.",
        minimum=1,
        maximum=1_000_000,
    )
    snapshot_every_lessons: int = setting(
        500,
        "A new model version is published after this many lessons.",
        minimum=1,
        maximum=1_000_000,
    )
    snapshot_interval_ms: int = setting(
        60_000,
        "A new model version is also published after this time, if there is any new lesson.",
        unit="ms",
        minimum=100,
        maximum=DAY_MS,
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
        maximum=DAY_MS,
    )
    stale_ms: int = setting(
        3_600_000,
        "Events older than this on arrival change the state but lead to no action, such as a fed "
        "history; 0 answers all. Only with the wall clock.",
        unit="ms",
        minimum=0,
    )
    dead_letter_limit: int = setting(
        1_000,
        "The worker stops if more bad records than this arrive within the window.",
        minimum=1,
    )
    dead_letter_window_ms: int = setting(
        60_000, "The window of the dead-letter limit.", unit="ms", minimum=1_000, maximum=DAY_MS
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

    # For crash tests only; the second needs the first.
    test_faults: str = setting("no", "Whether failpoints are allowed.", choices=("no", "yes"))
    failpoint: str = setting(
        "", "Where the worker kills itself (role:step:n). Never set it in production."
    )

    def __post_init__(self) -> None:
        problems = [
            problem
            for declared in SETTINGS
            if (problem := value_problem(declared, getattr(self, declared.name))) is not None
        ]
        problems += kafka_problems(self)
        problems += http_problems(self)
        problems += registry_problems(self)
        problems += _other_problems(self)
        if problems:
            raise SettingsError(problems)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read every setting from an environment; SettingsError lists all problems.

        >>> Settings.from_env({"CONCIERGE_HTTP_PORT": "9000"}).http_port
        9000
        """
        return cls(**read_environment(cls, environ, TEST_VARIABLES))

    def display(self) -> list[tuple[str, str]]:
        """Return (variable, value) of every setting, secrets hidden."""
        return [(each.env, each.display(getattr(self, each.name))) for each in SETTINGS]


SETTINGS: list[Declaration] = declarations(Settings)


def help_table() -> str:
    """Return all settings as a Markdown table, for the docs and `--help`."""
    return markdown_table(SETTINGS)


def _other_problems(settings: Settings) -> Iterator[str]:
    # A silent worker's queued records must be dropped before others take over its partitions. Crash
    # tests violate this on purpose.
    delivery_ms, session_ms = settings.delivery_timeout_ms, settings.session_timeout_ms
    if delivery_ms >= session_ms and settings.test_faults != "yes":
        yield (
            f"CONCIERGE_DELIVERY_TIMEOUT_MS={delivery_ms} must be below "
            f"CONCIERGE_SESSION_TIMEOUT_MS={session_ms}: a worker could write to partitions "
            "that others have taken over; raise the session timeout, or lower the delivery timeout"
        )
    if not settings.salt:
        yield "CONCIERGE_SALT is empty: draws need a seed, set any text and keep it"
    if settings.failpoint and settings.test_faults != "yes":
        yield (
            f'CONCIERGE_FAILPOINT="{settings.failpoint}" makes the worker kill itself: unset it; '
            "a crash test sets CONCIERGE_TEST_FAULTS=yes too"
        )
