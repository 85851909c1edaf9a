"""The page of recipes is true: each sample, fed by its query, gives the events beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.feeds import FEEDS, fed

_BLOCK = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def recipes() -> list[Any]:
    page = (FEEDS / "README.md").read_text("utf-8")
    sections = [section for section in page.split("\n## ") if "```sql" in section]
    return [pytest.param(section, id=section.partition("\n")[0]) for section in sections]


@pytest.mark.parametrize("section", recipes())
def test_a_recipe_gives_the_events_beside_it(tmp_path: Path, section: str) -> None:
    blocks = _BLOCK.findall(section)
    ((form, sample),) = [(kind, text) for kind, _, text in blocks if kind in ("csv", "jsonl")]
    queries = {topic: sql for kind, topic, sql in blocks if kind == "sql"}
    (expected,) = [text for kind, _, text in blocks if kind == "json"]
    path = tmp_path / f"sample.{form}"
    path.write_text(sample, encoding="utf-8")
    found = fed(path, **queries)
    assert found.rejected == []
    shown = [json.loads(line) for line in expected.splitlines()]
    actual = [
        {"topic": topic, **{k: v for k, v in event.items() if k in wanted}}
        for (topic, event), wanted in zip(found.sent, shown, strict=True)
    ]
    assert actual == shown


def test_there_are_recipes_for_every_topic_that_files_are_fed_to() -> None:
    page = (FEEDS / "README.md").read_text("utf-8")
    topics = {topic for kind, topic, _ in _BLOCK.findall(page) if kind == "sql"}
    assert topics == {"clickstream", "purchases", "support", "profile"}
