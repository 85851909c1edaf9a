"""A changed catalogue file is logged and counted; an invalid one replaces nothing."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from streams.shell.telemetry.metrics import Metrics
from streams.shell.versions.catalogue_file import CatalogueFile
from tests.support.shops import SHOP

_BROKEN = SHOP.replace("family_preference >= 0", "family_preferense >= 0")
_EDITED = SHOP + "\n# another version\n"


def _series(metrics: Metrics) -> tuple[bool, bool]:
    """Return whether one change was taken over, and whether the file is broken now."""
    exposed = generate_latest(metrics.registry).decode()
    return (
        "concierge_catalogue_changes_total 1.0" in exposed,
        "concierge_catalogue_file_broken 1.0" in exposed,
    )


def test_a_change_is_reported_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, metrics = tmp_path / "catalogue.yaml", Metrics()
    path.write_text(SHOP, encoding="utf-8")
    file = CatalogueFile(path, metrics)
    first = file.catalogue_text()
    assert _series(metrics) == (False, False)
    path.write_text(_EDITED, encoding="utf-8")
    with caplog.at_level(logging.INFO):
        second = file.catalogue_text()
    assert first.version != second.version
    assert f"{second.version[:12]} replaces {first.version[:12]}" in caplog.text
    assert _series(metrics) == (True, False)


@pytest.mark.parametrize("broken", [_BROKEN, None])
def test_a_file_that_cannot_be_used_is_reported_once_and_shown_until_it_is_mended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: str | None
) -> None:
    path, metrics = tmp_path / "catalogue.yaml", Metrics()
    path.write_text(SHOP, encoding="utf-8")
    file = CatalogueFile(path, metrics)
    first = file.catalogue_text()
    if broken is None:
        path.rename(tmp_path / "away")
    else:
        path.write_text(broken, encoding="utf-8")
    for _ in range(3):
        assert file.catalogue_text() == first
        assert _series(metrics) == (False, True)
    assert caplog.text.count("the last valid one stays in use") == 1
    if broken is None:
        (tmp_path / "away").rename(path)
    else:
        path.write_text(SHOP, encoding="utf-8")
    with caplog.at_level(logging.INFO):
        assert file.catalogue_text() == first
    assert "valid again and in use" in caplog.text
    assert _series(metrics) == (False, False)
