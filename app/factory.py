"""The composition root: the three applications, the jobs and the subscribers are put together here and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app.accounts import jobs as account_jobs
from app.accounts import views as accounts
from app.accounts.identity import register_identity
from app.automations import running as automation_runs
from app.automations import views as automations
from app.automations.receivers import AUTOMATIONS
from app.automations.setup import configure_automations
from app.cli.commands import register_commands
from app.config import Config
from app.connections import jobs as connection_jobs
from app.connections import views as connections
from app.db.base import db
from app.db.pools import configure_pools
from app.db.roles import APP, RUNTIME, STAFF, role_url, sqlalchemy_url
from app.domains import jobs as domain_jobs
from app.domains import views as domains
from app.domains.hosting import CustomHosts
from app.domains.proof import Look
from app.domains.setup import Setup as DomainSetup
from app.domains.setup import configure_domains, reserved_hosts
from app.domains.standing import Front
from app.embed import api as embed_api
from app.embed import previews
from app.embed import screens as embeds
from app.embed import views as embed
from app.events import bus
from app.events import jobs as event_jobs
from app.events.audit import verify
from app.gateway import api
from app.gateway import jobs as gateway_jobs
from app.gateway import views as gateway_views
from app.gateway.door import Door
from app.gateway.gateway import Gateway
from app.gateway.modulecode import run_module_route
from app.installs import jobs as install_jobs
from app.installs import views as installs
from app.lib.http_out import Egress, refuse_own_hosts, system_resolver
from app.lib.logs import configure_logging
from app.lib.mail import Mailer
from app.lib.names import Names
from app.lib.storage import configure_storage
from app.mail import jobs as mail_jobs
from app.marketplace import jobs as marketplace_jobs
from app.marketplace import views as marketplace
from app.oauth import api as oauth_api
from app.oauth import jobs as oauth_jobs
from app.oauth import views as oauth
from app.pages import jobs as page_jobs
from app.pages import views as pages
from app.pages.receivers import SITES as SITES_WITH_PAGES
from app.queue.enqueue import configure_queue
from app.queue.registry import register_job
from app.runtime.data import configure_data
from app.runtime.files import jobs as file_jobs
from app.runtime.files.actions import configure_files
from app.runtime.functions import process as module_code
from app.runtime.functions import schedules
from app.runtime.functions.hooks import FunctionHooks
from app.runtime.functions.receivers import FUNCTIONS
from app.studio import api as schemas
from app.studio import jobs as publications
from app.studio import views as studio
from app.studio.editor import jobs as studio_jobs
from app.studio.editor import views as editor
from app.support import failures
from app.support import views as support
from app.support.cases import actions as cases
from app.support.failures import register_failures
from app.support.status.measure import configure_status, measure
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
from app.webhooks import jobs as webhook_jobs
from app.webhooks import views as webhooks
from app.webhooks.addresses import Outside
from app.webhooks.receivers import ENDPOINTS_OF_AGENCY
from app.webhooks.setup import configure_webhooks
from app.workspace import views as workspace
from app.workspace.views.places import RECORDS

ROOT = Path(__file__).parents[1]
Surface = Literal["platform", "api", "runtime"]


def wire(config: Config) -> None:
    """Once per process: where the servers are, which jobs there are, who hears of events."""
    configure_logging(config.log_format)
    configure_pools(
        runtime_url=role_url(config.database_url, config.secret_keys[0], RUNTIME),
        owner_url=config.database_url,
        size=config.web_threads + 2,
    )
    configure_queue(config.redis_url)
    refuse_own_hosts([config.platform_url, config.runtime_url])
    configure_storage(config.storage_url, config.data_dir)
    mailer = None if config.mail_url.startswith("mailbox:") else Mailer(config.mail_url, config.mail_from)
    mail_jobs.configure_mail(mailer, config.secret_keys)
    configure_files(quota_mb=config.site_files_mb)
    configure_data(secret_keys=config.secret_keys, hooks=FunctionHooks())
    module_code.configure_functions(
        workers=config.sandbox_workers, keys=config.secret_keys, strict=not config.development
    )
    configure_webhooks(
        keys=config.secret_keys, platform_url=config.platform_url, outside=Outside(development=config.development)
    )
    configure_domains(
        DomainSetup(
            keys=config.secret_keys,
            platform_url=config.platform_url,
            runtime_url=config.runtime_url,
            development=config.development,
            reserved=reserved_hosts(config.platform_url, config.runtime_url),
            look=_look(config),
            front=Front(config.domains_target, config.domains_addresses),
        )
    )
    configure_status(platform_url=config.platform_url, runtime_url=config.runtime_url)
    configure_automations(keys=config.secret_keys)
    wire_jobs()
    wire_subscribers()


def _look(config: Config) -> Look:
    """How proofs of domains are looked for: by the configured name servers, for the record and for the page alike."""
    names = Names(config.dns_resolvers)
    outside = Egress(resolver=names.resolve if config.dns_resolvers else system_resolver)
    return Look(names=names, outside=outside, development=config.development)


def wire_jobs() -> None:
    """Every job by name, with its queue, time limit and clock."""
    register_job("events.dispatch", event_jobs.dispatch, queue="high", timeout_s=120, cron="@every 10")
    register_job("events.forget_old", event_jobs.forget_old, timeout_s=600, cron="20 3 * * *")
    register_job("audit.verify", verify, timeout_s=600, cron="40 3 * * *")
    register_job("accounts.forget_old", account_jobs.forget_old, timeout_s=600, cron="30 3 * * *")
    register_job("domains.check", domain_jobs.check, timeout_s=120)
    register_job("domains.recheck", domain_jobs.recheck, timeout_s=60, cron="@every 60")
    register_job("gateway.partitions", gateway_jobs.partitions, timeout_s=60, cron="7 * * * *")
    register_job("gateway.forget_answers", gateway_jobs.forget_answers, timeout_s=600, cron="17 * * * *")
    register_job("functions.tick", schedules.tick, timeout_s=60, cron="@every 20")
    register_job("functions.run_scheduled", schedules.run_scheduled, timeout_s=60)
    register_job("functions.forget_old", schedules.forget_old, timeout_s=600, cron="50 3 * * *")
    register_job("installs.provision", install_jobs.provision, timeout_s=300)
    register_job("installs.deprovision", install_jobs.deprovision, queue="long", timeout_s=3600)
    register_job("installs.sweep", install_jobs.sweep, timeout_s=60, cron="@every 30")
    register_job("installs.purge", install_jobs.purge, timeout_s=600, cron="10 4 * * *")
    register_job("support.measure", measure, queue="high", timeout_s=30, cron="@every 60")
    register_job("support.forget_cases", cases.forget_old, timeout_s=600, cron="25 4 * * *")
    register_job("support.forget_old", failures.forget_old, timeout_s=600, cron="15 4 * * *")
    register_job("files.sweep", file_jobs.sweep, queue="long", timeout_s=600, cron="27 * * * *")
    register_job("files.follow", file_jobs.follow, queue="long", timeout_s=3600, cron="20 4 * * *")
    register_job("pages.publish_due", page_jobs.publish_due, timeout_s=120, cron="@every 30")
    register_job("pages.count_views", page_jobs.count_views, timeout_s=60, cron="@every 60")
    register_job("pages.forget_old", page_jobs.forget_old, timeout_s=600, cron="20 4 * * *")
    register_job("studio.publish", publications.publish, timeout_s=300)
    register_job("studio.sweep", publications.sweep, timeout_s=60, cron="@every 30")
    register_job("webhooks.deliver", webhook_jobs.deliver, queue="high", timeout_s=30, cron="@every 5")
    register_job("oauth.forget_old", oauth_jobs.forget_old, timeout_s=600, cron="25 4 * * *")
    register_job("marketplace.measure", marketplace_jobs.measure, timeout_s=120, cron="@every 300")
    register_job("marketplace.survey", marketplace_jobs.survey, timeout_s=600, cron="25 * * * *")
    register_job("studio.try", studio_jobs.attempt, timeout_s=120)
    register_job("studio.forget_old", studio_jobs.forget_old, timeout_s=300, cron="35 4 * * *")
    register_job("connections.due", connection_jobs.due, timeout_s=60, cron="@every 30")
    register_job("connections.renew", connection_jobs.renew, timeout_s=60)
    register_job("automations.work", automation_runs.work, timeout_s=300, cron="@every 10")
    register_job("mail.deliver", mail_jobs.deliver, timeout_s=300, cron="@every 15")
    register_job("mail.forget_old", mail_jobs.forget_old, timeout_s=600, cron="0 4 * * *")


def wire_subscribers() -> None:
    """Who hears of events."""
    bus.register("function", FUNCTIONS)
    bus.register("schedules", schedules.SITES)
    bus.register("webhook", ENDPOINTS_OF_AGENCY)
    bus.register("pages", SITES_WITH_PAGES)
    bus.register("automation", AUTOMATIONS)


def create_platform_app(config: Config) -> Flask:
    """HTML for people: session cookie, CSRF, the database in the scope of the person's agency."""
    app = _application("platform", config)
    _connect_database(app, config)
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
    app.register_blueprint(studio.bp)
    app.register_blueprint(editor.bp)
    app.register_blueprint(support.bp)
    app.register_blueprint(gateway_views.bp)
    app.register_blueprint(webhooks.bp)
    app.register_blueprint(automations.bp)
    app.register_blueprint(embeds.bp)
    app.register_blueprint(domains.bp)
    app.jinja_env.globals["brand"] = domains.brand
    app.register_blueprint(oauth.bp)
    app.register_blueprint(connections.bp)
    app.register_blueprint(workspace.bp)
    app.register_blueprint(pages.bp)
    register_mailbox(app, config)
    register_failures(app, "platform")
    register_commands(app, surfaces=lambda: (app, create_api_app(config), create_runtime_app(config)))
    protect(app)
    return _behind_proxies(app, config)


def create_api_app(config: Config, *, gateway: Gateway | None = None) -> Flask:
    """JSON for programs: bearer credentials, no cookies. Only the OAuth endpoints use the platform's own tables."""
    app = _application("api", config)
    _connect_database(app, config)
    register_limits(app, config.redis_url, program_limiter)
    app.config.update(MAX_CONTENT_LENGTH=2 * 1024 * 1024)
    register_headers(app, "api")  # answers are JSON: no templates, no files
    register_errors(app, "api")
    app.register_blueprint(health.bp)
    app.register_blueprint(schemas.bp)
    app.register_blueprint(event_schemas.bp)
    app.register_blueprint(oauth_api.bp)
    app.register_blueprint(api.bp)
    app.register_blueprint(api.functions_bp)
    app.register_blueprint(api.errors_bp)
    protect(app)
    door = Door(app, gateway or Gateway(platform_url=config.platform_url, run_route=run_module_route))
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


def _connect_database(app: Flask, config: Config) -> None:
    options: dict[str, Any] = {
        "pool_size": config.web_threads,
        "max_overflow": 4,
        "pool_pre_ping": True,
        "pool_recycle": 1800,
    }
    app.config.update(
        SQLALCHEMY_DATABASE_URI=_engine_url(config, APP),
        SQLALCHEMY_BINDS={"staff": {"url": _engine_url(config, STAFF), "pool_size": 2, "max_overflow": 4}},
        SQLALCHEMY_ENGINE_OPTIONS=options,
    )
    db.init_app(app)


def _engine_url(config: Config, role: str) -> str:
    return sqlalchemy_url(role_url(config.database_url, config.secret_keys[0], role))
