"""What a WSGI server runs: one callable that picks the surface by host and path."""

from app.config import Config
from app.domains.hosting import surface_of
from app.factory import create_api_app, create_platform_app, create_runtime_app, wire
from app.runtime.functions.process import start_soon
from app.web.dispatch import Dispatcher

config = Config.from_env()
wire(config)
app = create_platform_app(config)  # also what `flask --app wsgi …` commands use
application = Dispatcher(
    platform=app,
    api=create_api_app(config),
    runtime=create_runtime_app(config),
    config=config,
    surface_of=surface_of,
    first=start_soon,
)
