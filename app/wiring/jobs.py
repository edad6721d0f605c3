"""Every job there is."""

from __future__ import annotations

from app.accounts import jobs as account_jobs
from app.analytics import jobs as analytics_jobs
from app.automations import running as automation_runs
from app.connections import jobs as connection_jobs
from app.domains import jobs as domain_jobs
from app.events import audit
from app.events import jobs as event_jobs
from app.fleet import jobs as fleet_jobs
from app.fleet import rings as fleet_rings
from app.gateway import jobs as gateway_jobs
from app.inbound import jobs as inbound_jobs
from app.installs import jobs as install_jobs
from app.installs.entitlement import jobs as entitlements
from app.mail import jobs as mail_jobs
from app.marketplace import jobs as marketplace_jobs
from app.modules.signing.checking import verify as verify_releases
from app.oauth import jobs as oauth_jobs
from app.pages import jobs as page_jobs
from app.queue.registry import register_job
from app.rollouts import rehearsing
from app.rollouts import watch as rollout_watch
from app.rollouts.putback import jobs as put_back_jobs
from app.runtime.files import jobs as file_jobs
from app.runtime.functions import schedules
from app.runtime.trials import jobs as trial_jobs
from app.studio import jobs as publications
from app.studio import withdrawal
from app.studio.editor import jobs as studio_jobs
from app.support import failures
from app.support.cases import actions as cases
from app.support.status.measure import measure
from app.webhooks import jobs as webhook_jobs


def wire_jobs() -> None:
    """Every job by name, with its queue, time limit and clock."""
    register_job("events.dispatch", event_jobs.dispatch_in_turns, queue="high", timeout_s=120, cron="@every 10")
    register_job("events.forget_old", event_jobs.forget_old, timeout_s=600, cron="20 3 * * *")
    register_job("analytics.sum_up", analytics_jobs.sum_up_in_turns, queue="long", timeout_s=300, cron="@every 60")
    register_job("analytics.sum_calls", analytics_jobs.sum_calls, queue="long", timeout_s=300, cron="@every 300")
    register_job("analytics.recompute", analytics_jobs.recompute, queue="long", timeout_s=3600)
    register_job("analytics.partitions", analytics_jobs.partitions, timeout_s=60, cron="4 * * * *")
    register_job("audit.forget_old", audit.forget_old, queue="long", timeout_s=3600, cron="10 5 * * *")
    register_job("audit.verify", audit.verify, timeout_s=600, cron="40 3 * * *")
    register_job("accounts.forget_old", account_jobs.forget_old, timeout_s=600, cron="30 3 * * *")
    register_job("domains.check", domain_jobs.check, timeout_s=120)
    register_job("domains.recheck", domain_jobs.recheck, timeout_s=60, cron="@every 60")
    register_job("gateway.partitions", gateway_jobs.partitions, timeout_s=60, cron="7 * * * *")
    register_job("gateway.forget_answers", gateway_jobs.forget_answers, timeout_s=600, cron="17 * * * *")
    register_job("fleet.work", fleet_jobs.work, timeout_s=300)
    register_job("fleet.drive", fleet_rings.drive, timeout_s=120, cron="@every 60")
    register_job("fleet.sweep", fleet_jobs.sweep, timeout_s=60, cron="@every 30")
    register_job("functions.tick", schedules.tick, timeout_s=60, cron="@every 20")
    register_job("functions.run_scheduled", schedules.run_scheduled, timeout_s=60)
    register_job("functions.forget_old", schedules.forget_old, timeout_s=600, cron="50 3 * * *")
    register_job("inbound.run", inbound_jobs.run, queue="high", timeout_s=60)
    register_job("inbound.due", inbound_jobs.due, timeout_s=60, cron="@every 20")
    register_job("inbound.forget_old", inbound_jobs.forget_old, timeout_s=600, cron="37 * * * *")
    register_job("installs.provision", install_jobs.provision, timeout_s=300)
    register_job("installs.deprovision", install_jobs.deprovision, queue="long", timeout_s=3600)
    register_job("installs.sweep", install_jobs.sweep, timeout_s=60, cron="@every 30")
    register_job("installs.purge", install_jobs.purge, timeout_s=600, cron="10 4 * * *")
    register_job("rollouts.rehearse", rehearsing.rehearse, queue="long", timeout_s=1800)
    register_job("rollouts.sweep", rehearsing.sweep, timeout_s=60, cron="@every 30")
    register_job("rollouts.put_back", put_back_jobs.put_back, queue="long", timeout_s=3600)
    register_job("rollouts.put_back_sweep", put_back_jobs.sweep, timeout_s=60, cron="@every 30")
    register_job("rollouts.watch", rollout_watch.watch, queue="high", timeout_s=120, cron="@every 20")
    register_job("support.measure", measure, queue="high", timeout_s=30, cron="@every 60")
    register_job("support.forget_cases", cases.forget_old, timeout_s=600, cron="25 4 * * *")
    register_job("support.forget_old", failures.forget_old, timeout_s=600, cron="15 4 * * *")
    register_job("files.sweep", file_jobs.sweep, queue="long", timeout_s=600, cron="27 * * * *")
    register_job("files.follow", file_jobs.follow, queue="long", timeout_s=3600, cron="20 4 * * *")
    register_job("pages.publish_due", page_jobs.publish_due, timeout_s=120, cron="@every 30")
    register_job("pages.forget_old", page_jobs.forget_old, timeout_s=600, cron="20 4 * * *")
    register_job("modules.verify", verify_releases, timeout_s=1800, cron="45 3 * * *")
    # long: what nobody may wait behind; its checks take seconds, with a browser more
    register_job("studio.publish", publications.publish, queue="long", timeout_s=300)
    register_job("studio.tell_withdrawn", withdrawal.tell, timeout_s=600)
    register_job("studio.sweep", publications.sweep, timeout_s=60, cron="@every 30")
    register_job("webhooks.deliver", webhook_jobs.deliver, queue="high", timeout_s=30, cron="@every 5")
    register_job("oauth.forget_old", oauth_jobs.forget_old, timeout_s=600, cron="25 4 * * *")
    register_job("marketplace.measure", marketplace_jobs.measure, timeout_s=120, cron="@every 300")
    register_job("marketplace.survey", marketplace_jobs.survey, timeout_s=600, cron="25 * * * *")
    register_job("entitlements.remind", entitlements.remind, timeout_s=300, cron="12 * * * *")
    register_job("trials.make", trial_jobs.make, queue="high", timeout_s=60)
    register_job("trials.sweep", trial_jobs.sweep, timeout_s=120, cron="@every 20")
    register_job("studio.try", studio_jobs.attempt, timeout_s=120)
    register_job("studio.forget_old", studio_jobs.forget_old, timeout_s=300, cron="35 4 * * *")
    register_job("connections.due", connection_jobs.due, timeout_s=60, cron="@every 30")
    register_job("connections.renew", connection_jobs.renew, timeout_s=60)
    register_job("automations.work", automation_runs.work, timeout_s=300, cron="@every 10")
    register_job("mail.deliver", mail_jobs.deliver, timeout_s=300, cron="@every 15")
    register_job("mail.forget_old", mail_jobs.forget_old, timeout_s=600, cron="0 4 * * *")
