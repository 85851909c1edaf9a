"""Where this checkout lies: tests read its pages, packs and settings."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
