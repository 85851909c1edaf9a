"""`concierge check` says which consent no customer has given, and only where that is so."""

from __future__ import annotations

import pytest

from schemas.records import CustomerEvent, Decision
from streams.cli.commands.check_consents import tally
from streams.core.catalogue.values import Catalogue
from streams.shell.versions.catalogue_file import parse_catalogue
from tests.support.checkout import ROOT
from tests.support.events import NOON_MS, Feed, numbered, use
from tests.support.memory import Log, MemoryVersions

PACKS = sorted((ROOT / "deploy" / "catalogue").glob("*.yaml"))
DAY_MS = 86_400_000


def _pack(name: str) -> Catalogue:
    path = ROOT / "deploy" / "catalogue" / f"{name}.yaml"
    return parse_catalogue(path.read_bytes(), path.name)


def _decided(catalogue: Catalogue, agreeing: int, of: int = 20) -> list[Decision]:
    """Let so many of the customers agree to marketing, then all of them browse."""
    feed = Feed()
    customers = [f"visitor-{number}" for number in range(of)]
    family = next(iter(catalogue.families))
    events: list[CustomerEvent] = [
        feed.consent(each, NOON_MS, "marketing", granted=True) for each in customers[:agreeing]
    ]
    events += [feed.click(each, NOON_MS + 1_000, family=family) for each in customers]
    return Log(MemoryVersions(catalogue)).play(numbered([use(catalogue), *events])).decisions


def test_a_consent_that_nobody_gave_is_named_with_what_to_send() -> None:
    shop = _pack("shop")
    found = tally(_decided(shop, agreeing=0), shop)
    assert (found["marketing"].missing, found["marketing"].given) == (20, 0)
    says = found["marketing"].warning("marketing", "opt_in")
    assert says is not None
    assert "each of the newest 20 decisions" in says
    assert "(20 customers)" in says
    assert "kind consent (purpose marketing, granted true)" in says


def test_one_customer_who_agreed_ends_the_warning() -> None:
    shop = _pack("shop")
    found = tally(_decided(shop, agreeing=1), shop)
    assert (found["marketing"].missing, found["marketing"].given) == (19, 1)
    assert found["marketing"].warning("marketing", "opt_in") is None


def test_without_decisions_there_is_nothing_to_say() -> None:
    found = tally([], _pack("shop"))
    assert found["marketing"].warning("marketing", "opt_in") is None
    assert found["personalization"].warning("personalization", "opt_out") is None


def test_a_moment_that_only_watching_brings_asks_for_personalization() -> None:
    shop = _pack("shop")
    browsing = _decided(shop, agreeing=20)[0]
    watched = {"moment": "gone_quiet", "actions": browsing.actions}
    refused = ["eligibility:consent_personalization"] * (len(browsing.actions) - 1)

    def at(fates: list[str]) -> Decision:
        values = {name: getattr(browsing, name) for name in browsing.__struct_fields__}
        return Decision(**{**values, **watched, "fates": [*fates, "candidate"]})

    found = tally([at(refused), browsing], shop)
    assert (found["personalization"].missing, found["personalization"].given) == (1, 0)
    # Who did not agree to being watched was not asked about marketing.
    assert (found["marketing"].missing, found["marketing"].given) == (0, 1)
    found = tally([at(refused), at(["contact:three_a_week", *refused[1:]])], shop)
    assert found["personalization"].missing == 2


@pytest.mark.parametrize("pack", [path.stem for path in PACKS])
def test_no_pack_is_suspected_where_every_customer_agreed(pack: str) -> None:
    catalogue = _pack(pack)
    found = tally(_decided(catalogue, agreeing=20), catalogue)
    assert found["marketing"].missing == 0
