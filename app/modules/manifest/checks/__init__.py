"""What spans several parts of a manifest: references, types, names, limits."""

from __future__ import annotations

from app.modules.manifest.model import Manifest
from app.modules.manifest.problems import Problem
from app.modules.manifest.yamltext import Document, Path


def check_whole(manifest: Manifest, *, document: Document, cut: set[Path], file: str) -> list[Problem]:
    """Every problem that shows only when the parts are seen together."""
    return []
