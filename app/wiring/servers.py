"""The servers around the process."""

from __future__ import annotations

from typing import Any

from flask import Flask

from app.config import Config
from app.db.base import db
from app.db.pools import configure_pools
from app.db.roles import APP, RUNTIME, STAFF, role_url, sqlalchemy_url
from app.lib.judged import refuse_own_hosts
from app.lib.logs import configure_logging
from app.lib.mail import Mailer
from app.lib.own import configure_own
from app.lib.storage import configure_storage
from app.mail import jobs as mail_jobs
from app.modules.signing.keys import configure_signing
from app.queue.enqueue import configure_queue


def wire_servers(config: Config) -> None:
    """Where the servers are: database, queue, files, mail; what is logged; who may never be called from here."""
    configure_logging(config.log_format)
    configure_pools(
        runtime_url=role_url(config.database_url, config.secret_keys[0], RUNTIME),
        owner_url=config.database_url,
        size=config.web_threads + 2,
    )
    configure_queue(config.redis_url)
    configure_signing(config.secret_keys)
    front = [config.domains_target] if config.domains_target else []
    refuse_own_hosts([config.platform_url, config.runtime_url, *(f"https://{name}" for name in front)])
    # what PLATFORM_URL stands for may be a content network's, at whose addresses receivers of others are as well
    configure_own(names=front, addresses=config.domains_addresses)
    configure_storage(config.storage_url, config.data_dir)
    mailer = None if config.mail_url.startswith("mailbox:") else Mailer(config.mail_url, config.mail_from)
    mail_jobs.configure_mail(mailer, config.secret_keys)


def connect_database(app: Flask, config: Config) -> None:
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
