"""Parameters of `concierge feed`: factors, rates, and named tables."""

from __future__ import annotations

from pathlib import Path

import click


class SpeedParam(click.ParamType):
    """A factor such as `1000x`."""

    name = "factor"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the factor; fails for what is no number above 0."""
        try:
            speed = float(str(value).lower().removesuffix("x"))
        except ValueError:
            speed = 0.0
        if not 0.0 < speed < float("inf"):
            self.fail(f"{value!r} is no factor; write for example 1000x", param, ctx)
        return speed


class RateParam(click.ParamType):
    """Events per second, such as `500` or `500/s`."""

    name = "events/s"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return events per second; fails for what is no number above 0."""
        try:
            rate = float(str(value).lower().removesuffix("/s"))
        except ValueError:
            rate = 0.0
        if not 0.0 < rate < float("inf"):
            self.fail(f"{value!r} is no rate; write for example 500/s", param, ctx)
        return rate


class TableParam(click.ParamType):
    """A further table, such as `products=products.csv`."""

    name = "name=file"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Path]:
        """Return name and path; fails when there is no such file."""
        if isinstance(value, tuple):
            return value
        name, _, path = str(value).partition("=")
        if not path or not Path(path).is_file():
            self.fail(f"{value!r} names no file; write for example products=products.csv", param)
        return name, Path(path)
