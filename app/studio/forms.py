"""What comes in from the upload form: one zip, or the files of a folder."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from app.errors import Invalid
from app.modules.package import CheckedPackage, check_folder, check_package


@dataclass(frozen=True, slots=True)
class Upload:
    """What was sent. name: of the zip, or of the folder."""

    name: str
    checked: CheckedPackage


def read_upload() -> Upload:
    """The package of this request. Raises Invalid when nothing, or several zips, were sent."""
    parts = [part for part in request.files.getlist("package") if part.filename]
    if not parts:
        raise Invalid.field("package", "Choose a .zip file or a folder that holds module.yaml.")
    if len(parts) == 1 and (parts[0].filename or "").lower().endswith(".zip"):
        return Upload(parts[0].filename or "", check_package(parts[0].read()))
    files = [(part.filename or "", part.read()) for part in parts]
    return Upload((files[0][0]).split("/")[0], check_folder(files))
