"""The screens of the workspace: lists and other views of records, dashboards, one record, its form, acts on many, transfer."""

from app.workspace.views import (  # noqa: F401  # each adds its routes
    boards,
    bulk,
    calendars,
    dashboards,
    edit,
    galleries,
    inboxes,
    lists,
    maps,
    records,
    reports,
    resources,
    timelines,
    transfer,
    trees,
)
from app.workspace.views.common import bp as bp
