"""A catalogue with mistakes is refused with all of them, each with file, line, path and advice."""

from __future__ import annotations

import pytest

from streams.core.catalogue.loading import CatalogueError, load_catalogue

FEATURES = {"open_tickets": "number", "family_interest": "number", "weekend": "flag"}
MOMENTS = ("browsing", "cart_left")

SOUND = """\
name: Shop
currency: GBP
timers: {cart_left_minutes: 30}
contact_limits:
  - {id: weekly, scope: overall, max_contacts: 3, window_days: 7}
consent: {marketing: opt_in}
families: [candles, garden]
rules:
  calm: open_tickets == 0
issues:
  - id: discovery
    purpose: marketing
    reward: {outcomes: [accept], window_days: 2}
    valid_hours: 12
    families:
      - each: [candles, garden]
        actions:
          - id: suggest_{family}
            moments: [browsing]
            context: {browsing: 1.2}
            value: 4
            rules:
              eligibility: [calm]
            treatments:
              - {id: banner, channel: web, message: "See our {family}"}
            why: you like {family}
    actions:
      - id: hello
        moments: [browsing]
        value: 1
        treatments: [{id: banner, channel: web, message: Hello}]
"""


def problems_of(text: str | bytes) -> list[str]:
    try:
        load_catalogue(text, "shop.yaml", FEATURES, MOMENTS)
    except CatalogueError as error:
        return error.problems
    return []


def test_the_sound_catalogue_of_these_tests_has_no_problem() -> None:
    assert problems_of(SOUND) == []


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        # keys
        ("name: Shop", "nam: Shop", "shop.yaml:1 nam: unknown key `nam`; did you mean `name`?"),
        ("name: Shop\n", "", "shop.yaml:1: `name` is missing; add for example `name: Gift shop`"),
        ("name: Shop", "name: Shop\nname: B", ":2 name: `name` is here twice (first in line 1)"),
        ("valid_hours", "valid_weeks", ":14 issues[0].valid_weeks: unknown key"),
        ("valid_hours: 12", "valid_hours: 1\n    valid_days: 1", "`valid_hours` already says"),
        (
            "    valid_hours: 12\n",
            "",
            ":17 issues[0].families[0].actions[0]: `valid_hours` is miss",
        ),
        ("            value: 4\n", "", ":18 issues[0].families[0].actions[0]: `value` is missing"),
        ("    purpose: marketing\n", "", ":11 issues[0]: `purpose` is missing"),
        ("purpose: marketing", "purpose: selling", "unknown purpose `selling`; known: marketing,"),
        # types
        ("name: Shop", "name: [a]", ":1 name: a list where a text belongs"),
        ("name: Shop", "name: 2020-01-01", "a date (`2020-01-01`) where a text belongs; put it in"),
        ("name: Shop", "name: no", "yes/no (`no`) where a text belongs; put it in quotes"),
        ("name: Shop", "name:", "nothing where a text belongs"),
        ("name: Shop", 'name: ""', "the text is empty"),
        ("currency: GBP", "currency: pounds", "the limit is 3"),
        ("currency: GBP", "currency: gbp", "`gbp` is no currency code; write three capitals"),
        ("value: 4", "value: lots", ":21 issues[0].families[0].actions[0].value: text (`lots`)"),
        ("value: 4", 'value: "4"', '"4" in quotes is a text; remove the quotes'),
        ("value: 4", "value: true", "yes/no (`true`) where a number belongs"),
        ("value: 4", "value: .inf", "a number (`.inf`) where a number belongs"),
        ("value: 4", "value: .nan", "where a number belongs"),
        ("value: 4", "value: 010", "where a number belongs"),
        ("value: 4", "value: 1:30", "where a number belongs"),
        ("value: 4", "value: 3,50", "a decimal number has a point; write 3.50"),
        ("value: 4", "value: 5%", "text (`5%`) where a number belongs; write 0.05 for 5%"),
        ("value: 4", "value: 12,5 %", "write 0.125 for 12,5 %"),
        ("value: 4", "value: 1,000", "write 1000, or 1.000 if the comma is a decimal point"),
        ("value: 4", "value: 1,000,000", "write 1000000 without commas"),
        ("value: 4", "value: 5 GBP", "write the number alone, 5"),
        ("{browsing: 1.2}", "{browsing: 1,2}", "context: `2` after a comma; a decimal number has"),
        ("    purpose: m", "\tpurpose: m", ":12: a tab at column 1: YAML takes spaces only"),
        ("    purpose: m", "  \t  purpose: m", ":12: a tab at column 3: YAML takes spaces only"),
        ("name: Shop", "name:\tShop", ":1: a tab at column 6: YAML takes spaces only"),
        ("marketing: opt_in", "marketing: yes", "where the name of a consent rule belongs; known:"),
        ("timers: {cart_left_minutes: 30}", "timers: 30", "where a mapping (`key: value` lines)"),
        ("issues:", "issues: {}\nx:", ":10 issues: a mapping where a list belongs"),
        ("families: [candles, garden]\nr", "families: candles\nr", "text (`candles`) where a list"),
        # ranges
        ("value: 4", "value: -1", "-1 is out of range; it must be from 0 to 1e+06"),
        ("value: 4", "value: 1e999", "1e999 is out of range"),
        ("max_contacts: 3", "max_contacts: 17", "17 is out of range; it must be from 1 to 16"),
        ("max_contacts: 3", "max_contacts: 2.5", "2.5 is not a whole number"),
        ("currency: GBP", "currency: GBP\nholdout_ratio: 5", "from 0 to 0.5"),
        ("currency: GBP", "currency: GBP\nexploration: {gama: 5}", "did you mean `gamma`?"),
        (
            "cart_left_minutes: 30",
            "cart_left_days: 30",
            "30 is out of range; it must be from 1 minute to 7 days",
        ),
        (
            "window_days: 7",
            "window_days: 0",
            "0 is out of range; it must be from 1 minute to 366 days",
        ),
        (", window_days: 7", "", ":5 contact_limits[0]: `window_days` is missing"),
        # names
        ("[candles, garden]\nr", "[candles, garden, garden]\nr", "`garden` is in this list twice"),
        ("[candles, garden]\nr", "[candles, Garden]\nr", "`Garden` is no id; use small letters"),
        (
            "each: [candles, garden]",
            "each: [candels]",
            "unknown family `candels`; did you mean `cand",
        ),
        ("each: [candles, garden]", "each: []", "`each` lists no family"),
        ("each: [candles, garden]", "each: every", "unknown word for `each` `every`; known: all"),
        ("each: [candles, garden]", "id: candels", ":16 issues[0].families[0].id: unknown family"),
        ("each: [candles, garden]", "each: all\n        id: garden", "one of the two"),
        (
            "moments: [browsing]\n            c",
            "moments: [browsin]\n            c",
            "did you mean `bro",
        ),
        (
            "        moments: [browsing]\n        v",
            "        moments: []\n        v",
            "never be offered",
        ),
        ("{browsing: 1.2}", "{cart_left: 1.2}", "`cart_left` is not among the action's moments"),
        (
            "channel: web, message: H",
            "channel: wep, message: H",
            "unknown channel `wep`; did you m",
        ),
        ("channel: web, message: H", "channel: other, message: H", "unknown channel `other`"),
        ("[accept]", "[acept]", "unknown outcome for a reward `acept`; did you mean `accept`?"),
        ("[accept]", "[reject]", "unknown outcome for a reward `reject`; known: delivered"),
        ("[accept]", "[]", ":13 issues[0].reward: nothing is rewarded"),
        ("scope: overall", "scope: total", "unknown scope `total`; known: overall, channel"),
        ("scope: overall", "scope: overall, name: web", "`overall` counts every contact"),
        (
            "scope: overall",
            "scope: action, name: helo",
            "unknown action `helo`; did you mean `hello`",
        ),
        ("scope: overall", "scope: family, name: garten", "unknown family `garten`; did you mean"),
        (
            "marketing: opt_in",
            "marketing: maybe",
            "unknown consent rule `maybe`; known: opt_in, opt",
        ),
        ("marketing: opt_in", "service: opt_in", "unknown key `service`"),
        # ids
        (
            "id: hello",
            "id: suggest_garden",
            "action `suggest_garden` is already declared in line 18",
        ),
        ("id: hello", "id: no_action", "`no_action` always exists; set its priority under"),
        ("id: hello", "id: Hello you", "`Hello you` is no id"),
        ("id: hello", "id: hello_{family}", "has the slot {family}, but the action has no family"),
        ("id: suggest_{family}", "id: suggest", "put the slot in its id: `suggest_{family}`"),
        ("id: suggest_{family}", "id: " + "x" * 60 + "_{family}", "has at most 64 characters"),
        (
            "[{id: banner, channel: web, message: Hello}]",
            "[{id: a, channel: web, message: A}, {id: a, channel: app, message: B}]",
            "treatment `a` is here twice",
        ),
        ("[{id: banner, channel: web, message: Hello}]", "[]", "could not be carried out"),
        # a day of the week
        *(
            (
                "currency: GBP",
                f"currency: GBP\nquiet_hours: {{weekdays: {{sunday: {wrong}}}}}",
                "sunday: write `sunday: all_day` for a day that is quiet all day, `sunday: {from:",
            )
            for wrong in ("true", "no", "off", "22:00", "[]", "")
        ),
        # slots
        (
            "why: you like {family}",
            "why: you like {famly}",
            "unknown slot {famly}; did you mean `fa",
        ),
        (
            "why: you like {family}",
            "why: you like {family",
            "braces are for slots such as {family}",
        ),
        ("message: Hello", "message: 'Our {family}'", "but the action has no family"),
        # rules
        ("calm: open_tickets == 0", "calm: open_tikets == 0", ":9 rules.calm: at character 1 of `"),
        ("calm: open_tickets == 0", "calm: open_tikets == 0", "did you mean `open_tickets`?"),
        ("calm: open_tickets == 0", "calm: true", "yes/no (`true`) where a text belongs"),
        ("calm: open_tickets == 0", "Calm: open_tickets == 0", "`Calm` is no id"),
        ("open_tickets == 0", "open_tickets less than 14", "character 14 of `open_tickets less"),
        ("open_tickets == 0", "open_tickets less than 14", "write `<` instead of `less than`"),
        ("[calm]", "[clam]", "unknown shared rule `clam`; did you mean `calm`?"),
        ("[calm]", "[calm, calm]", "rule `calm` already holds here"),
        ("[calm]", "[weekend]", "declare it under `rules:` or write `- id: condition`"),
        ("[calm]", '["open_tickets > 1"]', "needs an id in front: `- some_id: open_tickets > 1`"),
        ("[calm]", "[{calm: weekend}]", "`calm` is a shared rule; write only `- calm`"),
        ("[calm]", "[{a: weekend, b: weekend}]", "put each in a list item of its own"),
        ("[calm]", "[{odd: weekend == 1}]", "eligibility[0].odd: at character 1 of `weekend == 1`"),
        ("eligibility:", "eligable:", "unknown key `eligable`; did you mean `eligibility`?"),
        (
            "      - id: hello\n",
            "      - id: hello\n        rules: {suitability: [{near: family_interest > 1}]}\n",
            "rule `near` reads `family_interest`, but action `hello` has no family",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place_and_its_cure(
    right: str, wrong: str, expected: str
) -> None:
    assert right in SOUND
    problems = problems_of(SOUND.replace(right, wrong, 1))
    assert any(expected in problem for problem in problems), problems
    assert all(problem.startswith("shop.yaml:") for problem in problems)


def test_one_load_names_every_mistake_in_the_order_of_the_file() -> None:
    text = (
        SOUND.replace("GBP", "gbp")
        .replace("open_tickets == 0", "open_tickts == 0")
        .replace("value: 4", "value: four")
        .replace("channel: web, message: H", "channel: wab, message: H")
    )
    problems = problems_of(text)
    assert [int(problem.split(":")[1].split(" ")[0]) for problem in problems] == [2, 9, 21, 31]


def test_a_mistake_in_a_template_is_named_once_for_all_its_families() -> None:
    assert len(problems_of(SOUND.replace("value: 4", "value: four"))) == 1


def test_too_many_actions_are_refused() -> None:
    families = ", ".join(f"f{n}" for n in range(500))
    text = SOUND.replace("families: [candles, garden]\n", f"families: [{families}]\n").replace(
        "each: [candles, garden]", "each: all"
    )
    block = text[text.index("      - each: all") : text.index("    actions:\n      - id: hello")]
    for copy in ("other", "third"):
        text = text.replace(block, block + block.replace("suggest_", f"{copy}_"), 1)
    assert any("more than 1000 actions" in problem for problem in problems_of(text))


def test_the_error_reads_as_the_list_of_its_problems() -> None:
    with pytest.raises(CatalogueError) as caught:
        load_catalogue("nam: a\n", "shop.yaml", FEATURES, MOMENTS)
    assert str(caught.value) == "\n".join(caught.value.problems)
