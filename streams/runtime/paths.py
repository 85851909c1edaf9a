"""Where the files that ship with Concierge lie: in the checkout, or where pip put them."""

from __future__ import annotations

import sys
from pathlib import Path

from streams.runtime.settings import Settings

_CHECKOUT = Path(__file__).resolve().parents[2] / "deploy"
_INSTALLED = Path(sys.prefix) / "share" / "concierge"


def bundled_catalogue(name: str) -> Path:
    """Return the path of a starter catalogue; FileNotFoundError names the ones there are."""
    packs = _packs()
    if name not in packs:
        found = ", ".join(sorted(packs)) or "none"
        raise FileNotFoundError(f'no starter catalogue "{name}"; there are: {found}')
    return packs[name]


def _packs() -> dict[str, Path]:
    folders = [root / "catalogue" for root in (_INSTALLED, _CHECKOUT)]
    return {path.stem: path for folder in folders for path in folder.glob("*.yaml")}


def catalogue_path(settings: Settings) -> Path:
    """Return the catalogue that the settings name: a file, or a starter pack's bare name.

    None named: the shop's. A file goes before a pack of the same name.
    """
    if not settings.catalogue_path:
        return bundled_catalogue("shop")
    named = Path(settings.catalogue_path)
    return named if named.exists() else _packs().get(settings.catalogue_path, named)
