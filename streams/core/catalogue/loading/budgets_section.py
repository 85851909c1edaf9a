"""The budgets of a catalogue: how many actions of a kind there may be in a day."""

from __future__ import annotations

from typing import cast

from streams.core.catalogue.contact_rules import SCOPES, Scope
from streams.core.catalogue.loading.contact_section import Names
from streams.core.catalogue.values import Budget
from streams.core.yaml_file.typed_node import Section, TypedNode


def read_budgets(place: TypedNode | None, names: Names) -> tuple[Budget, ...]:
    """Return the budgets: how many actions of a kind there may be in a day."""
    budgets: dict[str, Budget] = {}
    for item in (place.items() if place else None) or ():
        section = item.section(("id", "scope", "name", "per_day"))
        budget = _budget(section, names) if section else None
        if budget and budget.id in budgets:
            item.wrong(f"budget `{budget.id}` is here twice")
        if budget:
            budgets[budget.id] = budget
    return tuple(budgets.values())


def _budget(section: Section, names: Names) -> Budget | None:
    id_place, scope_place = section.need("id", "calls"), section.need("scope", "channel")
    name_place, most_place = section.need("name", "call_center"), section.need("per_day", "40")
    budget_id = id_place.identifier() if id_place else None
    scope = cast(Scope | None, scope_place.word(SCOPES[1:], "scope") if scope_place else None)
    name = name_place.word(names[scope], scope) if name_place and scope else None
    per_day = most_place.whole(1, 10_000_000) if most_place else None
    if budget_id is None or scope is None or name is None or per_day is None:
        return None
    return Budget(budget_id, scope, name, per_day)
