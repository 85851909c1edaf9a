"""Rules in readable text over declared features, compiled to column operations."""

from streams.core.rules.condition import Condition, compile_rule
from streams.core.rules.tokens import RuleError

__all__ = ["Condition", "RuleError", "compile_rule"]
