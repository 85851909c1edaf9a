"""Text that is no catalogue at all, or hostile, is refused in words and within bounds."""

from __future__ import annotations

import pytest

from streams.core.catalogue.loading import CatalogueError, load_catalogue
from streams.core.yaml_file.problems import MAX_PROBLEMS


def problems_of(text: str | bytes) -> list[str]:
    try:
        load_catalogue(text, "shop.yaml", {}, ())
    except CatalogueError as error:
        return error.problems
    return []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "shop.yaml:1: the file is empty"),
        ("# only a comment\n", "shop.yaml:1: the file is empty"),
        ("- a\n", "shop.yaml:1: a catalogue is a mapping of `key: value` lines"),
        ("name: a: b\n", "shop.yaml:1: not readable as YAML at column 8: mapping values are not"),
        ("a: [1, 2\nb: 3\n", "shop.yaml:2: not readable as YAML"),
        ("a: 1\n\tb: 2\n", "shop.yaml:2: a tab at column 1: YAML takes spaces only"),
        ("a: 1\n---\nb: 2\n", "expected a single document"),
        ("a: *nowhere\n", "found undefined alias"),
        ("name: a\nx: \x07\n", "shop.yaml:2: the character U+0007 is not allowed in YAML"),
        ("a: !!python/object:os.system ls\n", "the tag !!python/object:os.system is not supported"),
        ("a: &a {b: 1}\nc:\n  <<: *a\n", "merge keys (<<) are not supported"),
        ("a: &a [*a]\n", "shop.yaml:1: an alias (*) is inside the part that it repeats"),
        ("a: " + "[" * 5_000, "nested more than 20 levels deep"),
        ("a: " + "[" * 25 + "]" * 25, "nested more than 20 levels deep"),
        ("a: " + "x" * 600_000, "the limit is 524288"),
        (b"name: caf\xe9\n", "shop.yaml:1: byte 9 (0xe9) is not UTF-8; save the file as UTF-8"),
        (b"a: 1\nb: \xff\xfe\n", "shop.yaml:2: byte 8 (0xff) is not UTF-8"),
        ("\ud800: 1\n", "shop.yaml:1: the character U+D800 is not allowed"),
        ("[a]: 1\n", "a list where a text belongs"),
        ("1: 1\n", "a number (`1`) where a text belongs; put it in quotes"),
    ],
)
def test_what_is_no_catalogue_at_all_is_refused_in_one_line(
    text: str | bytes, expected: str
) -> None:
    problems = problems_of(text)
    assert any(expected in problem for problem in problems), problems


def test_aliases_cannot_multiply_without_end() -> None:
    laughs = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 18)
    )
    (problem,) = problems_of(laughs)
    assert "with aliases (*) spelt out, the limit is 100000" in problem


def test_aliases_cannot_nest_without_end() -> None:
    def nested(times: int) -> str:
        # Written flat, so that the depth of the text does not show the depth of the values.
        links = ", ".join(f"&a{n} [*a{n - 1}]" for n in range(1, times))
        return f"issues: [&a0 x, {links}]\nname: *a{times - 1}\n"

    (problem,) = problems_of(nested(1_000))
    assert "with aliases (*) spelt out, the limit is 100000" in problem
    # Below that limit it is refused for what it says, not with a RecursionError.
    assert any("issues[1]: a list where a mapping" in each for each in problems_of(nested(400)))


def test_a_file_wrong_all_over_does_not_flood_the_screen() -> None:
    text = "".join(f"wrong{n}: 1\n" for n in range(500))
    problems = problems_of(text)
    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1] == "shop.yaml: and 403 more problems"
