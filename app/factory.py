"""The composition root: the three applications are put together here, the rest of a process in app/wiring."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app.accounts import views as accounts
from app.accounts.identity import register_identity
from app.analytics import api as analytics_ingest
from app.analytics.views import bp as analytics_bp
from app.automations import step_views as automation_steps
from app.automations import views as automations
from app.cli.commands import register_commands
from app.config import Config
from app.connections import views as connections
from app.domains import views as domains
from app.domains.hosting import CustomHosts
from app.embed import api as embed_api
from app.embed import previews
from app.embed import screens as embeds
from app.embed import views as embed
from app.fleet import rollout_views as fleet_rollouts
from app.fleet import run_views as fleet_runs
from app.fleet import setting_views as fleet_settings
from app.fleet import views as fleet
from app.gateway import api
from app.gateway import views as gateway_views
from app.gateway.door import Door
from app.gateway.gateway import Gateway
from app.gateway.modulecode import run_module_route
from app.inbound import api as inbound_api
from app.inbound import views as inbound
from app.installs import level_views as module_settings
from app.installs import views as installs
from app.marketplace import views as marketplace
from app.oauth import api as oauth_api
from app.oauth import views as oauth
from app.pages import views as pages
from app.rollouts.putback import views as put_back_views
from app.runtime.context import InstallContext
from app.runtime.functions import process as module_code
from app.runtime.pages.view import Shown
from app.studio import api as schemas
from app.studio import review, transparency
from app.studio import views as studio
from app.studio.builder import views as builder
from app.studio.editor import views as editor
from app.studio.publishing.embeds import Answer, AnswerPage
from app.support import views as support
from app.support.failures import register_failures
from app.support.views.mailbox import register_mailbox
from app.tenancy import views as tenancy
from app.tenancy.queries import counts
from app.web import health
from app.web.bodies import register_bodies
from app.web.converters import register_converters
from app.web.csrf import register_csrf
from app.web.devices import register_devices
from app.web.dispatch import own_hosts
from app.web.errors import register_errors
from app.web.guard import protect
from app.web.headers import register_headers
from app.web.limits import program_limiter, register_limits
from app.web.navigation import register_navigation
from app.web.request_id import register_request_id
from app.web.ui import register_ui
from app.webhooks import api as event_schemas
from app.webhooks import views as webhooks
from app.webhooks.catalogue import data_of
from app.wiring.jobs import wire_jobs
from app.wiring.packages import wire_packages
from app.wiring.servers import connect_database, wire_servers
from app.wiring.subscribers import wire_subscribers
from app.workspace import views as workspace
from app.workspace.views.places import RECORDS

ROOT = Path(__file__).parents[1]
Surface = Literal["platform", "api", "runtime"]


def wire(config: Config) -> None:
    """Once per process: where the servers are, which jobs there are, who hears of events."""
    wire_servers(config)
    wire_packages(config, framed=_framed(config))
    wire_jobs()
    wire_subscribers()


def create_platform_app(config: Config) -> Flask:
    """HTML for people: session cookie, CSRF, the database in the scope of the person's agency."""
    app = _application("platform", config)
    connect_database(app, config)
    app.config.update(
        SESSION_COOKIE_NAME="__Host-dramac-browser" if config.secure_cookies else "dramac_browser",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.secure_cookies,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the browser session; the token is bound to it
        MAX_CONTENT_LENGTH=12 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
    )
    register_ui(app, "platform", frame_src=[config.runtime_url])
    register_errors(app, "platform")
    register_limits(app, config.redis_url)
    register_bodies(app)
    register_csrf(app)
    register_identity(app)
    register_devices(app)
    register_navigation(app, counts, RECORDS)
    app.register_blueprint(accounts.bp)
    app.register_blueprint(tenancy.bp)
    app.register_blueprint(marketplace.bp)
    app.register_blueprint(installs.bp)
    app.register_blueprint(put_back_views.bp)
    app.register_blueprint(module_settings.bp)
    app.register_blueprint(fleet.bp)
    app.register_blueprint(fleet_runs.bp)
    app.register_blueprint(fleet_settings.bp)
    app.register_blueprint(fleet_rollouts.bp)
    app.register_blueprint(studio.bp)
    app.register_blueprint(transparency.bp)
    app.register_blueprint(review.bp)
    app.register_blueprint(editor.bp)
    app.register_blueprint(builder.bp)
    app.register_blueprint(support.bp)
    app.register_blueprint(gateway_views.bp)
    app.register_blueprint(webhooks.bp)
    app.register_blueprint(automations.bp)
    app.register_blueprint(automation_steps.bp)
    app.register_blueprint(embeds.bp)
    app.register_blueprint(domains.bp)
    app.jinja_env.globals["brand"] = domains.brand
    app.register_blueprint(oauth.bp)
    app.register_blueprint(connections.bp)
    app.register_blueprint(inbound.bp)
    app.register_blueprint(workspace.bp)
    app.register_blueprint(pages.bp)
    app.register_blueprint(analytics_bp)
    register_mailbox(app, config)
    register_failures(app, "platform")
    register_commands(app, surfaces=lambda: (app, create_api_app(config), create_runtime_app(config)))
    protect(app)
    return _behind_proxies(app, config)


def create_api_app(config: Config, *, gateway: Gateway | None = None) -> Flask:
    """JSON for programs: bearer credentials, no cookies. Only the OAuth endpoints use the platform's own tables."""
    app = _application("api", config)
    connect_database(app, config)
    register_limits(app, config.redis_url, program_limiter)
    app.config.update(MAX_CONTENT_LENGTH=2 * 1024 * 1024)
    register_headers(app, "api")  # answers are JSON: no templates, no files
    register_errors(app, "api")
    app.register_blueprint(health.bp)
    app.register_blueprint(schemas.bp)
    app.register_blueprint(event_schemas.bp)
    app.register_blueprint(oauth_api.bp)
    app.register_blueprint(inbound_api.bp)
    app.register_blueprint(api.bp)
    app.register_blueprint(api.functions_bp)
    app.register_blueprint(api.events_bp)
    app.register_blueprint(api.errors_bp)
    protect(app)
    door = Door(
        app,
        gateway
        or Gateway(
            platform_url=config.platform_url, keys=config.secret_keys, run_route=run_module_route, describe_event=data_of
        ),
    )  # fmt: skip
    app.extensions["gateway"] = door.gateway
    app.wsgi_app = door  # type: ignore[method-assign]  # documented
    return _behind_proxies(app, config)


def create_runtime_app(config: Config) -> Flask:
    """Modules' own pages on their own origin: sets no cookie, knows no session."""
    app = _application("runtime", config)
    app.config.update(MAX_CONTENT_LENGTH=12 * 1024 * 1024, MAX_FORM_MEMORY_SIZE=1024 * 1024)
    register_ui(app, "runtime")
    register_errors(app, "runtime")
    app.register_blueprint(embed.bp)
    app.register_blueprint(embed_api.bp)
    app.register_blueprint(analytics_ingest.bp)
    app.register_blueprint(previews.bp)
    register_failures(app, "runtime")
    app.register_blueprint(pages.site.bp)
    protect(app)
    if not config.development:
        module_code.sandbox()  # production does not start without every wall
    app.wsgi_app = CustomHosts(app.wsgi_app, own=own_hosts(config)[1:], development=config.development)  # type: ignore[method-assign]  # documented
    return _behind_proxies(app, config)


def _application(surface: Surface, config: Config) -> Flask:
    app = Flask(surface, template_folder=str(ROOT / "templates"), static_folder=None, root_path=str(ROOT))
    app.config.update(
        SECRET_KEY=config.secret_keys[0], SECRET_KEY_FALLBACKS=list(config.secret_keys[1:]), DRAMAC=config
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    register_converters(app)
    register_request_id(app)
    return app


def _behind_proxies(app: Flask, config: Config) -> Flask:
    """Believe as many X-Forwarded-* hops as there are proxies; last, so that everything inside sees the real caller."""
    if config.trusted_proxies:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]  # documented
    return app


def _framed(config: Config) -> AnswerPage:
    """Pages as the runtime application answers them, its headers included; the application is made when first asked."""
    apps: dict[str, Flask] = {}

    def answer(context: InstallContext, name: str, shown: Shown, framer: str) -> Answer:
        app = apps.get("runtime") or apps.setdefault("runtime", create_runtime_app(config))
        with app.test_request_context("/", base_url=config.runtime_url, headers={"Sec-Fetch-Dest": "iframe"}):
            response = app.process_response(embed.answer_framed(context, name, shown, framer))
            return Answer(
                {key.lower(): value for key, value in response.headers.items()}, response.get_data(as_text=True)
            )

    return answer
