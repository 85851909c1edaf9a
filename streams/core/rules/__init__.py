"""Rules in readable text over declared features, compiled together to column operations."""

from streams.core.rules.condition import Condition, check_rule
from streams.core.rules.distance import Distance, distance
from streams.core.rules.feature_types import DeclaredFeature, Features
from streams.core.rules.program import Program
from streams.core.rules.tokens import RuleError

__all__ = [
    "Condition",
    "DeclaredFeature",
    "Distance",
    "Features",
    "Program",
    "RuleError",
    "check_rule",
    "distance",
]
