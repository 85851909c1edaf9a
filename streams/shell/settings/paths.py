"""Paths of the catalogues that ship with Concierge, in a checkout or in an installation."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from errno import ENOENT
from pathlib import Path

from streams.core.suggestions import near
from streams.shell.settings.settings import Settings

_CHECKOUT = Path(__file__).resolve().parents[3] / "deploy"
_INSTALLED = Path(sys.prefix) / "share" / "concierge"


def bundled_catalogue(name: str) -> Path:
    """Return the path of a starter catalogue; FileNotFoundError lists the available ones."""
    packs = _packs()
    if name not in packs:
        raise FileNotFoundError(f'no starter catalogue "{name}"{_available(name, packs)}')
    return packs[name]


def _available(name: str, packs: Iterable[str]) -> str:
    """Return the available packs, and which of them `name` probably means."""
    known = ", ".join(sorted(packs)) or "none"
    return f"{near(name, packs)}; available: {known}"


def _packs() -> dict[str, Path]:
    folders = [root / "catalogue" for root in (_INSTALLED, _CHECKOUT)]
    return {path.stem: path for folder in folders for path in folder.glob("*.yaml")}


def catalogue_path(settings: Settings) -> Path:
    """Return the catalogue that the settings name: a file, or a starter pack's bare name.

    Without a setting it is the shop's. A file takes precedence over a pack of the same name. A bare
    name that is neither raises FileNotFoundError, which lists the packs; a path is returned as is.
    """
    if not settings.catalogue_path:
        return bundled_catalogue("shop")
    named, packs = Path(settings.catalogue_path), _packs()
    if named.exists():
        return named
    if settings.catalogue_path not in packs and _is_bare(named):
        what = f'there is neither a file nor a starter pack "{named}"'
        raise FileNotFoundError(ENOENT, f"{what}{_available(str(named), packs)}", str(named))
    return packs.get(settings.catalogue_path, named)


def _is_bare(named: Path) -> bool:
    """Return whether a path may be meant as the name of a pack: no folder, no suffix."""
    return len(named.parts) == 1 and not named.suffix
