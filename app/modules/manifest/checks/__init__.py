"""What spans several parts of a manifest: references, types, names, limits. One file for each part."""

from __future__ import annotations

from app.modules.manifest.checks.code import check_code, check_settings
from app.modules.manifest.checks.context import Checker
from app.modules.manifest.checks.head import check_head
from app.modules.manifest.checks.screens import check_pages, check_views
from app.modules.manifest.checks.tables import check_tables
from app.modules.manifest.model import Manifest
from app.modules.manifest.problems import Problem
from app.modules.manifest.yamltext import Document, Path


def check_whole(manifest: Manifest, *, document: Document, cut: set[Path], file: str) -> list[Problem]:
    """Every problem that shows only when the parts are seen together.

    cut: paths that were taken out of the manifest for errors of their own.
    """
    checker = Checker(manifest, document, cut, file)
    for check in (check_head, check_tables, check_views, check_pages, check_code, check_settings):
        check(checker)
    return checker.problems
