"""Write the choices of a Bernoulli Thompson sampler as a target policy's CSV.

    python -m tests.bench.thompson_policy prior.yaml --campaign all --out policy.csv

The prior is a YAML of `campaign: {alpha: [...], beta: [...]}`, one pair per action, as the Open
Bandit Dataset has it. In each of `--draws` rounds a rate is drawn from every action's Beta
distribution and the best `--positions` actions are shown in their order; the share of rounds in
which an action stood in a position is its probability there (Saito, Aihara, Matsutani, Narita:
Open Bandit Dataset and Pipeline, NeurIPS 2021).
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import yaml
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def position_probabilities(
    alpha: Floats, beta: Floats, positions: int, draws: int, seed: int
) -> Floats:
    """Return P(action stands in a position), (actions, positions); columns sum to 1.

    Actions are drawn one round after the other from numpy's legacy `RandomState`, as the
    published figures were.
    """
    random = np.random.RandomState(seed)
    counts = np.zeros((len(alpha), positions))
    places = np.arange(positions)
    for _ in range(draws):
        shown = random.beta(alpha, beta).argsort()[::-1][:positions]
        counts[shown, places] += 1.0
    return counts / draws


@click.command()
@click.argument("prior", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--campaign", default="all", show_default=True, help="Which prior of the file.")
@click.option("--positions", default=3, show_default=True, help="Actions shown at once.")
@click.option("--draws", default=100_000, show_default=True)
@click.option("--seed", default=12345, show_default=True)
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
def main(prior: Path, campaign: str, positions: int, draws: int, seed: int, out: Path) -> None:
    """Write the choices of the Thompson sampler with this PRIOR as a CSV of probabilities."""
    held = yaml.safe_load(prior.read_text(encoding="utf-8"))
    try:
        alpha, beta = (np.array(held[campaign][name], np.float64) for name in ("alpha", "beta"))
    except (KeyError, TypeError, ValueError):
        raise click.ClickException(
            f"{prior}: holds no lists `alpha` and `beta` under {campaign!r}"
        ) from None
    shares = position_probabilities(alpha, beta, positions, draws, seed)
    with out.open("w", encoding="utf-8") as file:
        file.write("position,action,probability\n")
        for position in range(positions):
            for action, share in enumerate(shares[:, position].tolist()):
                if share:
                    file.write(f"{position + 1},{action},{share:.10g}\n")


if __name__ == "__main__":
    main()
