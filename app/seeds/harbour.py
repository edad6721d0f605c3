"""Harbour Dental's web site: three pages, the last with the enquiries form in it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access.actors import Actor
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.installs.models import Install
from app.lib.clock import utcnow
from app.modules.models import Module
from app.pages.actions import create_page, publish_page
from app.pages.content import read_content
from app.pages.models import SitePage
from app.pages.showing import look_of
from app.pages.structure import add_redirect, change_look
from app.tenancy.models import Site

SITE = "harbour-dental"
LOOK = {
    "accent": "#0f766e",
    "tagline": "Dentists in Cascais",
    "footer": (
        "**Harbour Dental**, Rua do Porto 12, Cascais · [Write to us](/contact)\n\n"
        "Monday to Friday 8.30 to 19.00, Saturday 9.00 to 13.00"
    ),
    "lost_text": "This page is not here any more. The [contact page](/contact) reaches us, and so does the telephone.",
}
Block = dict[str, Any]


def text(words: str) -> Block:
    return {"kind": "text", "text": words}


HOME: dict[str, Any] = {
    "title": "A calm place for your teeth",
    "lead": "Two practices by the harbour of Cascais. New patients are answered the same day.",
    "seo_title": "Dentists in Cascais",
    "description": "Check-ups, hygiene, orthodontics and implants in Cascais, in English and Portuguese.",
    "blocks": [
        {"kind": "button", "label": "Ask for an appointment", "link": "/contact"},
        {"kind": "spacer", "size": "m"},
        {"kind": "heading", "text": "What we do"},
        {"kind": "columns", "cards": True, "cells": [
            {"text": "## Check-ups\nOnce or twice a year, with a plan in plain words and prices before anything begins."},
            {"text": "## Orthodontics\nClear aligners and braces, for children and for grown-ups who waited."},
            {"text": "## Implants\nPlanned with a scan, placed by two surgeons who do nothing else."},
        ]},
        {"kind": "heading", "text": "Nervous?"},
        text("Say so when you write. You get the first slot of the morning, nobody waiting behind you, and **every step is "
             "said before it is done**. More [about us](/about)."),
    ],
}  # fmt: skip
ABOUT: dict[str, Any] = {
    "title": "About us",
    "lead": "Eleven people, two practices, one set of notes.",
    "description": "Who works at Harbour Dental, and how.",
    "blocks": [
        text("Sofia Mendes opened the first practice in 2009 with one chair and a view of the boats. The second followed in "
             "2017, on the same street, because patients asked for evenings."),
        {"kind": "heading", "text": "How we work"},
        text("- You hear the price before we begin.\n- Your records are yours: ask, and you have them the same week.\n"
             "- Children under six pay nothing for their first visit."),
        {"kind": "button", "label": "Write to us", "link": "/contact", "quiet": True},
    ],
}  # fmt: skip


def contact(install_id: str) -> dict[str, Any]:
    """The contact page with the form of the enquiries module."""
    form = {"kind": "module", "install": install_id, "page": "contact", "title": "Contact form", "height": 940}
    return {
        "title": "Contact",
        "lead": "Tell us what it is about. Somebody answers today, tomorrow at the latest.",
        "description": "Write to Harbour Dental, or ask for an appointment.",
        "blocks": [{**form, "params": {"accent": LOOK["accent"]}}],
    }


def make_site(agency_id: UUID, by: Actor) -> None:
    """Write and publish the pages of the demo's web site, unless it has some. One transaction."""
    now = utcnow()
    with tenant_scope(agency_id), transaction(db.session()) as session:
        site = session.scalars(select(Site).where(Site.slug == SITE)).one()
        if session.scalar(select(SitePage.id).where(SitePage.site_id == site.id).limit(1)):
            return
        install = session.scalars(
            select(Install).join(Module, Module.id == Install.module_id)
            .where(Install.site_id == site.id, Module.slug == "enquiries")
        ).one()  # fmt: skip
        pages = {"/": (HOME, "Home"), "/about": (ABOUT, ""), "/contact": (contact(install.public_id), "")}
        for path, (content, label) in pages.items():
            page = create_page(session, site=site, content=read_content(content), path=path, by=by, now=now)
            page.menu_label = label
            session.flush()  # publishing reads the row anew
            publish_page(session, page=page, by=by, now=now)
        change_look(session, look=look_of(session, site=site), values=LOOK, by=by, site=site)
        add_redirect(session, site=site, source="/contactos.html", target="/contact", by=by)
