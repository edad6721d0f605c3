"""The enquiries module as it was before its first release, so that one site of the demo world has an upgrade waiting.

Made from the package itself: what version 1.0.0 brought is taken out, what it dropped is put in.
"""

from __future__ import annotations

import json
from typing import Any

from ruamel.yaml import YAML

VERSION = "0.9.0"
LETTERS = ("staff-notice", "auto-reply", "reminder")


def earlier(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files of version 0.9.0: no letters and reminders yet, a fax number and where somebody heard of us."""
    manifest: dict[str, Any] = YAML(typ="safe").load(files["module.yaml"])
    manifest["version"] = VERSION
    manifest["permissions"] = {"personal_data": True}
    for name in LETTERS:
        manifest["pages"].pop(name)
    for name in ("notify", "remind"):
        manifest["functions"].pop(name)
    manifest.pop("jobs")
    manifest["settings"] = [group for group in manifest["settings"] if group["label"] != "Follow-up"]
    forms, enquiries = manifest["tables"]["forms"], manifest["tables"]["enquiries"]
    for name in ("notify", "auto_reply", "reply_subject", "reply_text"):
        forms["fields"].pop(name)
    forms.pop("check")
    fields = enquiries["fields"]
    fields["message"]["max"] = 8000
    fields["heard_from"] = {"type": "text", "max": 120, "label": "Heard of us from"}
    fields["fax"] = {"type": "phone", "pii": True}
    views = manifest["views"]
    views["forms"]["columns"].remove("auto_reply")
    views["form"]["side"] = [
        name for name in views["form"]["side"] if name not in ("notify", "auto_reply", "reply_subject", "reply_text")
    ]
    views["enquiry"]["side"] += ["heard_from", "fax"]
    gone = {f"templates/{name}.txt" for name in LETTERS} | {"functions/notify.js", "functions/remind.js"}
    kept = {
        path: content
        for path, content in files.items()
        if path not in gone and not path.startswith(("sample/", "tests/")) and path != "CHANGELOG.md"
    }
    # JSON is YAML, and keeps the order
    changelog = b"# Changelog\n\n## 0.9.0\n\nThe inbox and the forms, without letters.\n"
    return {**kept, "module.yaml": json.dumps(manifest, indent=2).encode(), "CHANGELOG.md": changelog}
