"""GET /schemas/module-v1.json: the JSON Schema of module.yaml, for editors and the command line."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from app.modules.manifest import json_schema
from app.web.guard import public

bp = Blueprint("schemas", __name__, url_prefix="/schemas")


@bp.get("/module-v1.json")
@public
def module_v1() -> Response:
    answer = jsonify(json_schema())
    answer.mimetype = "application/schema+json"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer
