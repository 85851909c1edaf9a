"""The catalogue's arbitration: experiment arms, exploration, and the priority of `no_action`."""

from __future__ import annotations

from streams.core.catalogue.loading.action_parts import MAX_VALUE
from streams.core.catalogue.values import ArmRatios, ContactCost, Exploration
from streams.core.yaml_file.typed_node import Section

KEYS = ("holdout_ratio", "arms", "exploration", "no_action")

# Above a half there would be more customers watched than served.
MAX_HOLDOUT_RATIO = 0.5
# Without a control group the benefit of the rest cannot be measured.
DEFAULT_HOLDOUT_RATIO = 0.05
MAX_ARM_RATIO = 0.2
MAX_GAMMA = 1_000_000.0
DEFAULT_GAMMA = 20.0
MAX_GROWTH = 1_000.0
# As Vowpal Wabbit's `--squarecb` has it (gamma_scale 10, gamma_exponent 0.5).
DEFAULT_GROWTH = 10.0
# With more, what explores would outweigh what is known.
MAX_FLOOR = 0.05
MAX_DISCOVERY = 0.5
_BOTHERING = ("priority", "per_contact", "per_ignored", "opt_out_cost")


def read_arms(section: Section) -> ArmRatios:
    """Return the shares of customers in each experiment arm."""
    place = section.get("arms")
    inside = place.section(("random", "model_only")) if place else None
    return ArmRatios(
        section.number("holdout_ratio", 0.0, MAX_HOLDOUT_RATIO, DEFAULT_HOLDOUT_RATIO),
        inside.number("random", 0.0, MAX_ARM_RATIO, 0.0) if inside else 0.0,
        inside.number("model_only", 0.0, MAX_ARM_RATIO, 0.0) if inside else 0.0,
    )


def read_exploration(section: Section) -> Exploration:
    """Return how much is tried out."""
    place = section.get("exploration")
    inside = place.section(("gamma", "growth", "floor", "discovery")) if place else None
    if inside is None:
        return Exploration(DEFAULT_GAMMA, growth=DEFAULT_GROWTH)
    # Who names a gamma means it.
    growth = DEFAULT_GROWTH if inside.get("gamma") is None else 0.0
    return Exploration(
        inside.number("gamma", 0.0, MAX_GAMMA, DEFAULT_GAMMA),
        inside.number("floor", 0.0, MAX_FLOOR, 0.0),
        inside.number("discovery", 0.0, MAX_DISCOVERY, 0.0),
        inside.number("growth", 0.0, MAX_GROWTH, growth),
    )


def read_contact_cost(section: Section) -> ContactCost:
    """Return the parts of the priority of `no_action`."""
    place = section.get("no_action")
    inside = place.section(_BOTHERING) if place else None
    prices = [inside.number(key, 0.0, MAX_VALUE, 0.0) for key in _BOTHERING] if inside else ()
    return ContactCost(*prices)
