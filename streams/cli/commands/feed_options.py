"""Parameter types of `concierge feed`: speed factors and rates."""

from __future__ import annotations

import click


class SpeedParam(click.ParamType):
    """A factor such as `1000x`."""

    name = "factor"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the factor; fails unless it is a number above 0."""
        try:
            speed = float(str(value).lower().removesuffix("x"))
        except ValueError:
            speed = 0.0
        if not 0.0 < speed < float("inf"):
            self.fail(f"{value!r} is not a factor; write for example 1000x", param, ctx)
        return speed


class RateParam(click.ParamType):
    """Events per second, such as `500` or `500/s`."""

    name = "events/s"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return events per second; fails unless it is a number above 0."""
        try:
            rate = float(str(value).lower().removesuffix("/s"))
        except ValueError:
            rate = 0.0
        if not 0.0 < rate < float("inf"):
            self.fail(f"{value!r} is not a rate; write for example 500/s", param, ctx)
        return rate
