"""Options of `concierge backtest` that are not columns of its query."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from streams.analysis.backtest.run_backtest import DEFAULT_PRIOR, RULES, Options
from streams.cli.data_files import FILE
from streams.core.catalogue.loading.arbitration_section import (
    DEFAULT_GAMMA,
    DEFAULT_GROWTH,
    MAX_GAMMA,
    MAX_GROWTH,
)
from streams.core.catalogue.values import Exploration


def replay_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command gets them as one argument `options` (Options)."""

    @wraps(command)
    def called(
        probability: str,
        policy: Path | None,
        gamma: float | None,
        growth: float | None,
        prior: float,
        strict: bool,
        **arguments: Any,
    ) -> Any:
        options = Options(
            strict=strict,
            probability=probability,
            policy=policy,
            exploration=_exploration(gamma, growth),
            prior=prior,
        )
        return command(options=options, **arguments)

    for option in reversed(_OPTIONS):
        called = option(called)
    return called


_OPTIONS = (
    click.option(
        "--probability",
        type=click.Choice(tuple(RULES)),
        default="shares",
        show_default=True,
        help="If no row has a probability: an action's is its share of the rows, or all are equal. "
        "Right only if actions were drawn at random; a test reports if they were not.",
    ),
    click.option(
        "--policy",
        type=FILE,
        help="Another policy to evaluate: a file with the columns action and probability, and the "
        "columns of the query on which they depend.",
    ),
    click.option(
        "--gamma",
        type=click.FloatRange(0.0, MAX_GAMMA),
        help=f"Exploration as in a catalogue; default {DEFAULT_GAMMA:g}.",
    ),
    click.option(
        "--growth",
        type=click.FloatRange(0.0, MAX_GROWTH),
        help=f"Exploration as in a catalogue; default {DEFAULT_GROWTH:g}, and 0 with --gamma.",
    ),
    click.option(
        "--prior",
        type=click.FloatRange(0.0, 1.0, min_open=True, max_open=True),
        default=DEFAULT_PRIOR,
        show_default=True,
        help="Assumed rate of outcomes before any is learned.",
    ),
    click.option("--strict", is_flag=True, help="Stop at the first row that cannot be used (1)."),
)


def _exploration(gamma: float | None, growth: float | None) -> Exploration:
    if growth is None:
        growth = DEFAULT_GROWTH if gamma is None else 0.0
    return Exploration(DEFAULT_GAMMA if gamma is None else gamma, growth=growth)
