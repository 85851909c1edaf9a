"""Where the files that ship with Concierge lie: in the checkout, or where pip put them."""

from __future__ import annotations

import sys
from pathlib import Path

from streams.runtime.settings import Settings

_CHECKOUT = Path(__file__).resolve().parents[2] / "deploy"
_INSTALLED = Path(sys.prefix) / "share" / "concierge"


def bundled_catalogue(name: str) -> Path:
    """Return the path of a starter catalogue; FileNotFoundError names the ones there are."""
    folders = [root / "catalogue" for root in (_CHECKOUT, _INSTALLED)]
    for folder in folders:
        path = folder / f"{name}.yaml"
        if path.is_file():
            return path
    found = sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})
    raise FileNotFoundError(
        f'no starter catalogue "{name}"; there are: {", ".join(found) or "none"}'
    )


def catalogue_path(settings: Settings) -> Path:
    """Return the catalogue file that the settings name, or the bundled shop's."""
    return Path(settings.catalogue_path) if settings.catalogue_path else bundled_catalogue("shop")
