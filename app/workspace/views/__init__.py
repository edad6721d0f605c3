"""The screens of the workspace: lists, one record, its form, acts on many, import and export."""

from app.workspace.views import bulk, edit, lists, records, transfer  # noqa: F401  # each adds its routes
from app.workspace.views.common import bp as bp
