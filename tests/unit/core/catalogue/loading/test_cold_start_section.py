"""A catalogue says how what is new begins: ramps, trials, and what survey answers tell."""

from __future__ import annotations

import pytest

from streams.core.catalogue.loading import CatalogueError
from streams.core.catalogue.values import Catalogue, Ramp
from tests.support.shops import SHOP, load


def shop(
    top: str = "", action: str = "", old: str = "        value: 2\n        treat"
) -> Catalogue:
    text = SHOP.replace("families: [tea, coffee]\n", f"{top}families: [tea, coffee]\n", 1)
    return load(text.replace(old, f"{action}{old}", 1))


def test_without_a_word_everything_may_reach_everybody() -> None:
    assert shop().ramp is None
    assert shop().answers == {}
    assert not any(action.shadow for action in shop().actions)


def test_a_ramp_has_usual_numbers_and_own_ones() -> None:
    assert shop("ramp: {}\n").ramp == Ramp(0.02, 200)
    assert shop("ramp: {from: 0.1, full_after: 50}\n").ramp == Ramp(0.1, 50)
    with pytest.raises(CatalogueError) as wrong:
        shop("ramp: {from: 0, full_after: 2.5, until: 3}\n")
    told = str(wrong.value)
    assert "unknown key `until`" in told
    assert "0 is out of range" in told
    assert "2.5 is not a whole number" in told


def test_service_is_not_ramped_unless_it_says_so() -> None:
    ramped = {action.id: action.ramped for action in shop().actions}
    assert ramped == {"show_tea": True, "show_coffee": True, "tea_again": True, "answer": False}
    asked = shop(action="        ramp: true\n")
    assert {a.id: a.ramped for a in asked.actions}["answer"]


def test_an_action_can_be_on_trial() -> None:
    trial = shop(action="        shadow: true\n")
    assert [action.id for action in trial.actions if action.shadow] == ["answer"]
    with pytest.raises(CatalogueError, match="where true or false belongs"):
        shop(action="        shadow: soon\n")


def test_answers_tell_of_known_families_within_bounds() -> None:
    told = shop('answers: {drinks: {"black, and hot": {coffee: 0.8, tea: -0.2}}}\n').answers
    assert told == {"drinks": {"black, and hot": {"coffee": 0.8, "tea": -0.2}}}
    with pytest.raises(CatalogueError) as wrong:
        shop("answers: {drinks: {black: {cofee: 0.8, tea: 2}, green: 3}}\n")
    assert "unknown key `cofee`; did you mean `coffee`?" in str(wrong.value)
    assert "2 is out of range; it must be from -1 to 1" in str(wrong.value)
    assert "where a mapping" in str(wrong.value)
