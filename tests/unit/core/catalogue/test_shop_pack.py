"""The shop's catalogue that ships with Concierge."""

from __future__ import annotations

from streams.core.catalogue.loading import load_catalogue
from streams.core.catalogue.values import Catalogue
from streams.core.features.definitions import FEATURES
from streams.core.moments import MOMENTS
from streams.demo.families import families
from tests.support.checkout import ROOT

SHOP = ROOT / "deploy" / "catalogue" / "shop.yaml"


def shop() -> Catalogue:
    return load_catalogue(SHOP.read_bytes(), SHOP.name, FEATURES, MOMENTS)


def test_the_shop_loads_against_the_declared_features_and_moments() -> None:
    catalogue = shop()
    assert catalogue.currency == "GBP"
    assert catalogue.arms.holdout == 0.05
    assert len(catalogue.actions) >= 20


def test_the_shop_has_a_suggestion_for_every_family_the_demo_sends() -> None:
    catalogue = shop()
    assert set(catalogue.families) == set(families())
    suggested = {a.family for a in catalogue.actions if a.id.startswith("suggest_")}
    assert suggested == set(families())


def test_the_shop_answers_at_every_moment() -> None:
    answered = {moment for action in shop().actions for moment in action.moments}
    assert answered == set(MOMENTS)


def test_an_open_ticket_silences_every_sale_and_no_service() -> None:
    for action in shop().actions:
        silenced = "no_open_ticket" in {rule.id for rule in action.rules}
        assert silenced == (action.purpose == "marketing"), action.id


def test_the_shop_can_call_somebody_instead_of_writing() -> None:
    calls = [a for a in shop().actions if a.treatments[0].channel == "call_center"]
    assert {call.issue for call in calls} >= {"service", "retention"}
