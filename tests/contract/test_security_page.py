"""The page for operators says what the tables say."""

from __future__ import annotations

import re

from streams.shell.kafka.acls import acls_table
from streams.shell.settings.fields import SECRET_FILE_SUFFIX
from streams.shell.settings.settings import SETTINGS
from tests.support.checkout import ROOT

_PAGE = (ROOT / "deploy" / "SECURITY.md").read_text(encoding="utf-8")


def test_the_table_of_permissions_is_the_declared_one() -> None:
    assert f"\n{acls_table()}\n<!-- end -->" in _PAGE


def test_the_page_names_only_settings_that_exist_and_every_secret() -> None:
    known = {each.env for each in SETTINGS}
    known |= {each.env + SECRET_FILE_SUFFIX for each in SETTINGS if each.secret}
    named = set(re.findall(r"CONCIERGE_[A-Z_]+[A-Z]", _PAGE))
    assert named <= known
    assert {each.env for each in SETTINGS if each.secret} <= named
