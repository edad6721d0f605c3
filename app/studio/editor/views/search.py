"""Finding files by name, and places in them by what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from flask import g, request

from app.access.permissions import Permission
from app.studio.editor import queries
from app.studio.editor.models import Project
from app.studio.editor.views.common import TEXT_ENDINGS, bp, must_live
from app.web.guard import requires
from app.web.htmx import fragment

MOST = 100
AROUND = 40  # characters of the line before what was found


@dataclass(frozen=True, slots=True)
class Hit:
    """A file by its name (line 0), or a line: the texts before, of, and after what was found."""

    path: str
    line: int
    before: str
    found: str
    after: str


@bp.get("/<public_id:project_id>/search")
@requires(Permission.MODULES_VIEW, project=Project)
def search(project: Project) -> str:
    must_live(project)
    text = request.args.get("q", "").strip()[:100]
    every = list(islice(hits(queries.files(g.db, project=project), text), MOST + 1)) if text else []
    return fragment("studio/editor/_found.html", project=project, q=text, hits=every[:MOST], more=len(every) > MOST)


def hits(files: Mapping[str, bytes], text: str) -> Iterator[Hit]:
    """Files whose name holds the text, then lines that do, whatever the case."""
    wanted = text.lower()
    for path in sorted(files):
        if (at := path.lower().find(wanted)) >= 0:
            yield Hit(path, 0, path[:at], path[at : at + len(text)], path[at + len(text) :])
    for path, content in sorted(files.items()):
        if path.rpartition(".")[2].lower() not in TEXT_ENDINGS:
            continue
        for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
            if (at := line.lower().find(wanted)) >= 0:
                start = max(0, at - AROUND)
                after = line[at + len(text) : at + len(text) + 80]
                yield Hit(path, number, line[start:at].lstrip(), line[at : at + len(text)], after)
