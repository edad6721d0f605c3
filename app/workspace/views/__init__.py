"""The screens of the workspace: lists, boards, dashboards, galleries, one record, its form, acts on many, import and export."""

from app.workspace.views import boards, bulk, dashboards, edit, galleries, lists, records, transfer  # noqa: F401  # each adds its routes
from app.workspace.views.common import bp as bp
