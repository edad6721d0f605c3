"""The screens of the editor: a project begins, its files, history, trials, and what leaves it."""

from app.studio.editor.views import begin, files, history, projects, replace, search, trials  # noqa: F401  # each adds its routes
from app.studio.editor.views.common import bp as bp
