"""What packages are handed: keys, addresses, and the tools of packages they do not know."""

from __future__ import annotations

from app.analytics.places import Countries
from app.analytics.setup import configure_analytics
from app.automations.setup import configure_automations
from app.config import Config
from app.domains.proof import Look
from app.domains.setup import Setup as DomainSetup
from app.domains.setup import configure_domains, reserved_hosts
from app.domains.standing import Front
from app.installs.entitlement import jobs as entitlements
from app.lib.http_out import Egress
from app.lib.names import Names
from app.lib.resolving import system_resolver
from app.pages.counting import keep_views
from app.rollouts.setup import Setup as RolloutSetup
from app.rollouts.setup import configure_rollouts
from app.runtime.audience import configure_audience
from app.runtime.data import configure_data
from app.runtime.files.actions import configure_files
from app.runtime.functions import process as module_code
from app.runtime.functions.hooks import FunctionHooks
from app.studio.editor.screens import Screens, configure_screens
from app.studio.letters import configure_letters
from app.studio.publishing.embeds import AnswerPage, configure_embeds
from app.support.status.measure import configure_status
from app.webhooks.addresses import Outside
from app.webhooks.setup import configure_webhooks
from app.workspace import samples


def wire_packages(config: Config, *, framed: AnswerPage) -> None:
    """What each package is told of the installation. framed: answers a page of a module as the runtime application does."""
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
    entitlements.configure_entitlements(keys=config.secret_keys, platform_url=config.platform_url)
    configure_status(platform_url=config.platform_url, runtime_url=config.runtime_url)
    configure_automations(keys=config.secret_keys)
    configure_embeds(framed)
    configure_letters(keys=config.secret_keys, platform_url=config.platform_url)
    configure_audience(
        configure_analytics(keys=config.secret_keys, countries=Countries(config.geo_database), day_summed=keep_views)
    )
    configure_rollouts(RolloutSetup(config.secret_keys, config.platform_url))
    configure_screens(Screens(offered=samples.offered, draw=samples.draw))


def _look(config: Config) -> Look:
    """How proofs of domains are looked for: by the configured name servers, for the record and for the page alike."""
    names = Names(config.dns_resolvers)
    outside = Egress(resolver=names.resolve if config.dns_resolvers else system_resolver, fronts=True)
    return Look(names=names, outside=outside, development=config.development)
