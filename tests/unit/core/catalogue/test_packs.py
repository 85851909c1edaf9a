"""The starter packs: each loads, is found by its name, and keeps the promises made of all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streams.cli.main import concierge
from streams.core.catalogue.loading import load_catalogue
from streams.core.catalogue.phrases import DEFAULT_PHRASES
from streams.core.catalogue.values import Catalogue
from streams.core.channels import BY_PEOPLE, REACHING_OUT
from streams.core.features.definitions import FEATURES
from streams.core.moments import MOMENTS, SESSION_MOMENTS
from streams.core.state.layout import (
    MAX_PENDING,
    PENDING_FOR_SERVICE,
)
from streams.core.units import (
    DAY_MS,
)
from streams.shell.settings.paths import bundled_catalogue, catalogue_path
from streams.shell.settings.settings import Settings
from tests.scenarios.runner import scenarios
from tests.support.checkout import ROOT

PACKS = ("shop", "grocer", "streaming", "bank", "saas")


def pack(name: str) -> Catalogue:
    path = bundled_catalogue(name)
    return load_catalogue(path.read_bytes(), path.name, FEATURES, MOMENTS)


def test_there_are_no_other_packs_than_those_tested_here() -> None:
    folder = bundled_catalogue("shop").parent
    assert {path.stem for path in folder.glob("*.yaml")} == set(PACKS)


@pytest.mark.parametrize("name", PACKS)
def test_check_finds_nothing_wrong_with_a_pack(name: str) -> None:
    arguments = ["check", "--offline", "--catalogue", str(bundled_catalogue(name))]
    assert concierge.main(arguments, standalone_mode=False) == 0


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_has_a_dozen_actions_over_several_issues_and_families(name: str) -> None:
    actions = pack(name).actions
    # However many families a template stands for, it is one idea.
    ideas = {(a.issue, a.id.replace(a.family or "-", "")) for a in actions}
    assert len(ideas) >= 12
    assert len({action.issue for action in actions}) >= 5
    assert len({action.family for action in actions if action.family}) >= 3


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_is_humane(name: str) -> None:
    catalogue = pack(name)
    contact, price = catalogue.contact, catalogue.bothering
    assert not contact.quiet.times.daily.is_empty
    assert contact.tickets is not None
    assert contact.automated_in_a_row is not None
    assert {rule.after for rule in contact.suppressions} >= {"ignored", "objected"}
    assert price.priority > 0
    assert price.opt_out_cost > 0
    limited = {limit.name for limit in contact.limits if limit.scope == "channel"}
    used = {t.channel for a in catalogue.actions for t in a.treatments}
    assert used & set(REACHING_OUT) <= limited
    assert any(a.treatments[0].channel in BY_PEOPLE for a in catalogue.actions)
    assert any(a.purpose == "service" for a in catalogue.actions)


@pytest.mark.parametrize("name", PACKS)
def test_everybody_is_told_why(name: str) -> None:
    for action in pack(name).actions:
        assert action.why or action.moments & SESSION_MOMENTS, action.id


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_speaks_in_its_own_words(name: str) -> None:
    phrases = pack(name).phrases
    assert set(MOMENTS) <= set(phrases)
    assert phrases["cart_left"] != DEFAULT_PHRASES["cart_left"]
    if name not in ("shop", "grocer"):
        # Nobody shops at a bank, and no cart stands in a living room.
        spoken = " ".join(phrases.values())
        assert not re.search(r"\b(shop|cart|basket|buy|bought)\b", spoken)


@pytest.mark.parametrize("name", PACKS)
def test_every_family_of_a_pack_is_used_and_so_is_every_word_about_answers(name: str) -> None:
    catalogue = pack(name)
    used = {action.family for action in catalogue.actions}
    assert used - {None} <= set(catalogue.families)
    # `accounts` of a bank stands for what is looked at, and nothing is proposed about it.
    assert len(set(catalogue.families) - used) <= 1


@pytest.mark.parametrize("name", PACKS)
def test_visits_do_not_fill_what_is_remembered_of_offers(name: str) -> None:
    """What is shown at every view must settle soon, or nothing more is offered until it does."""
    for action in pack(name).actions:
        shown = action.family and action.treatments[0].channel in ("web", "app")
        if shown and action.moments & SESSION_MOMENTS:
            assert action.reward.window_ms <= 1.5 * DAY_MS
    assert max(pack(name).slates.values(), default=1) <= MAX_PENDING - PENDING_FOR_SERVICE


def test_a_birthday_is_no_reason_to_write() -> None:
    text = bundled_catalogue("bank").read_text("utf-8")
    bank = pack("bank")
    (yearly,) = [action for action in bank.actions if action.id == "a_year_with_us"]
    assert {treatment.channel for treatment in yearly.treatments} == {"call_center"}
    assert "No birthday texts" in text


@pytest.mark.parametrize("name", [name for name in PACKS if name != "shop"])
def test_each_pack_has_a_scenario(name: str) -> None:
    assert name in {scenario.pack for scenario in scenarios()}


def test_a_pack_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(FileNotFoundError, match="bank, grocer, saas, shop, streaming"):
        bundled_catalogue("airline")


def test_settings_name_a_file_or_a_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert catalogue_path(Settings()) == bundled_catalogue("shop")
    assert catalogue_path(Settings(catalogue_path="bank")) == bundled_catalogue("bank")
    assert catalogue_path(Settings(catalogue_path="my.yaml")) == Path("my.yaml")
    (tmp_path / "bank").write_text("name: Ours", "utf-8")
    assert catalogue_path(Settings(catalogue_path="bank")) == Path("bank")


def test_the_packs_are_installed_with_the_program() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    assert '"share/concierge/catalogue" = ["deploy/catalogue/*.yaml"' in text
