"""ARCHITECTURE.md names every package and module, and every path that it names exists."""

from __future__ import annotations

import re

from tests.support.checkout import ROOT

_PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
# A row of the map: package, what it does, modules.
_ROWS: dict[str, str] = {
    row[0]: row[1] for row in re.findall(r"^\| `([a-z_/]+)` \| [^|]+ \| ([^|]+) \|$", _PAGE, re.M)
}
# Such a row stands for all modules of the package, and of packages inside it.
_WHOLE = re.compile(r"in the folder|in `commands`, `reports`|a module for each section|their parts")
_ROOTS = ("", "streams/", "streams/core/", "streams/shell/")


def _row_of(folder: str) -> str | None:
    """Return the modules in the row of a package, or of one around it whose row stands for all."""
    name = folder.removeprefix("streams/")
    if name in _ROWS:
        return _ROWS[name]
    parent = folder.rpartition("/")[0]
    row = _row_of(parent) if parent else None
    return row if row and _WHOLE.search(row) else None


def test_every_module_is_on_the_map() -> None:
    missing = []
    for top in ("streams", "schemas", "models"):
        for path in (ROOT / top).rglob("*.py"):
            folder = str(path.parent.relative_to(ROOT))
            if path.stem.startswith("__") or folder == "streams":
                continue
            row = _row_of(folder)
            if row is None or not (_WHOLE.search(row) or re.search(rf"\b{path.stem}\b", row)):
                missing.append(f"{folder}/{path.stem}")
    assert missing == []


def test_every_package_and_path_that_it_names_exists() -> None:
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_.*-]+)+)`", _PAGE)) | set(_ROWS)

    def exists(name: str) -> bool:
        return any(
            any(ROOT.glob(f"{root}{name}{end}")) for root in _ROOTS for end in ("", ".py", ".md")
        )

    assert [name for name in sorted(named) if not exists(name)] == []


def test_every_module_that_a_row_names_is_there() -> None:
    gone = []
    for package, modules in _ROWS.items():
        if _WHOLE.search(modules):
            continue
        folder = next(ROOT / root / package for root in _ROOTS if (ROOT / root / package).is_dir())
        words = re.sub(r";.*", "", modules).split()
        gone += [f"{package}/{word}" for word in words if not (folder / f"{word}.py").is_file()]
    assert gone == []
