"""The finishing touches to a module's HTML: the protection of its forms, versions of its assets, nonces of its scripts.

Values in the HTML are escaped when it is rendered, so a tag found here was written by the author of the template.
"""

from __future__ import annotations

import re
from html import escape

from app.runtime.pages.spam import STAMP, TRAP

# Each ends at the next < or >, so that no page of an author takes longer than its length.
_FORM = re.compile(r"<form\b[^<>]*>", re.IGNORECASE)
_POST = re.compile(r"\bmethod\s*=\s*[\"']?post\b", re.IGNORECASE)
_FILE = re.compile(r"<input\b[^<>]*\btype\s*=\s*[\"']?file\b", re.IGNORECASE)
_END = re.compile(r"</form\s*>", re.IGNORECASE)
_ASSET = re.compile(r"(\b(?:src|href)\s*=\s*\"assets/[A-Za-z0-9_./-]+)\"")
_SCRIPT = re.compile(r"<script(?=[^<>]*\bsrc=\"assets/)", re.IGNORECASE)


def protect_forms(html: str, stamp: str) -> str:
    """Put the stamp and the trap into every form that is posted."""
    hidden = (
        f'<input type="hidden" name="{STAMP}" value="{escape(stamp)}">'
        f'<div class="w-trap" aria-hidden="true"><label>Leave this empty <input type="text" name="{TRAP}" value="" '
        'tabindex="-1" autocomplete="off"></label></div>'
    )
    made: list[str] = []
    done = 0
    while form := _FORM.search(html, done):
        end = _END.search(html, form.end()) if _POST.search(form[0]) else None
        if end is None and _POST.search(form[0]):
            break
        stop = end.start() if end is not None else form.end()
        if end is not None and _FILE.search(html, form.end(), stop) and "enctype" not in form[0].lower():
            made += [html[done : form.end() - 1], ' enctype="multipart/form-data">']  # without it only names are sent
            done = form.end()
        made += [html[done:stop], hidden if end is not None else ""]
        done = stop
    return "".join([*made, html[done:]])


def link_assets(html: str, *, version: str, nonce: str) -> str:
    """Make relative addresses of assets cacheable for ever, and let the package's own scripts run, no inline ones."""
    html = _ASSET.sub(lambda found: f'{found[1]}?v={version}"', html)
    return _SCRIPT.sub(f'<script nonce="{escape(nonce)}" defer', html)
