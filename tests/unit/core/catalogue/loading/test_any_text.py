"""Whatever the text, loading gives a catalogue or a list of problems, and never breaks."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.catalogue.loading import CatalogueError, load_catalogue
from streams.core.features.definitions import FEATURES
from streams.core.moments import MOMENTS
from tests.support.checkout import ROOT

# Its first part has nearly everything a catalogue can say; the rest is more of the same.
SHOP = ROOT / "deploy" / "catalogue" / "shop.yaml"
LINES = [
    line
    for line in SHOP.read_text(encoding="utf-8").splitlines()
    if line.strip() and not line.strip().startswith("#")
][:90]

fragments = st.one_of(
    st.sampled_from(
        ["{", "}", "[", "]", "- ", ": ", "null", "~", "&a ", "*a", "!!int ", "'", '"', "|\n", "\t"]
    ),
    st.sampled_from(["-1", "1e999", ".nan", "true", "{family}", "no_action", "\ud800", "\x00"]),
    st.text(max_size=5),
)


def is_catalogue_or_problems(text: str | bytes) -> bool:
    try:
        catalogue = load_catalogue(text, "shop.yaml", FEATURES, MOMENTS)
    except CatalogueError as error:
        return bool(error.problems) and all(p.startswith("shop.yaml:") for p in error.problems)
    return load_catalogue(catalogue.text, "again", FEATURES, MOMENTS) == catalogue


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, len(LINES) - 1), st.integers(0, 60), st.integers(0, 8), fragments)
def test_a_line_damaged_anywhere_is_named_or_harmless(
    line: int, at: int, length: int, put: str
) -> None:
    damaged = LINES[line][:at] + put + LINES[line][at + length :]
    assert is_catalogue_or_problems("\n".join([*LINES[:line], damaged, *LINES[line + 1 :]]))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, len(LINES) - 1), st.integers(0, 12))
def test_lines_lost_anywhere_are_named_or_harmless(line: int, count: int) -> None:
    assert is_catalogue_or_problems("\n".join(LINES[:line] + LINES[line + count :]))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.one_of(st.text(), st.binary(), st.lists(fragments, max_size=20).map("".join)))
def test_any_text_or_bytes_are_refused_in_words(text: str | bytes) -> None:
    assert is_catalogue_or_problems(text)
