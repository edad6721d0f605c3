"""A small app that shows every macro and layout, for eyes and for the browser checks. Not part of the product."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask, Response, abort, redirect, render_template, request
from flask_wtf import CSRFProtect, FlaskForm
from jinja2 import ChoiceLoader, FileSystemLoader
from wtforms import (
    BooleanField,
    DateField,
    DecimalField,
    EmailField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    URLField,
)
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, Email, Length, NumberRange

from app.lib.clock import utcnow
from app.web.htmx import is_htmx, respond, trigger_toast
from app.web.ui import register_ui

HERE = Path(__file__).parent
TEMPLATES = HERE.parents[2] / "templates"


class SiteForm(FlaskForm):
    """One field of each kind."""

    name = StringField("Name", [DataRequired("Give the site a name."), Length(max=80)])
    url = URLField("Address", [DataRequired("Enter the address, for example https://harbour-dental.co.uk.")])
    email = EmailField("Reply-to e-mail", [Email("Use an address such as desk@harbour-dental.co.uk.")])
    plan = SelectField("Plan", choices=[SelectChoice("basic", "Basic"), SelectChoice("plus", "Plus")])
    days = SelectMultipleField("Opening days", choices=[SelectChoice("mon", "Monday"), SelectChoice("tue", "Tuesday")])
    tone = RadioField(
        "Tone",
        choices=[SelectChoice("warm", "Warm", {"help": "As to a friend."}), SelectChoice("plain")],
        default="warm",
    )
    seats = IntegerField("Seats", [NumberRange(min=1, max=20)], default=4)
    deposit = DecimalField("Deposit", description="Taken when the booking is made.")
    opens_on = DateField("Opens on")
    notes = TextAreaField("Notes")
    reminders = BooleanField("Send reminders", description="One e-mail a day before.")


SITES = [
    ("Harbour Dental", "harbour-dental.co.uk", "ok", "Live", 6, 42_104),
    ("Vinyl District", "vinyl-district.de", "warn", "Degraded", 4, 38_720),
    ("Fjordcamp", "fjordcamp.no", "ok", "Live", 5, 31_207),
    ("Atelier Mora", "atelier-mora.fr", "neutral", "Draft", 3, 19_800),
    ("Grindhouse Gym", "grindhouse-gym.nl", "bad", "Down", 7, 12_412),
]

NAV = [
    {
        "label": "Workspace",
        "items": [
            {"key": "home", "icon": "house", "label": "Home", "url": "/home", "go": "h"},
            {"key": "market", "icon": "store", "label": "Marketplace", "url": "/home", "go": "m"},
            {"key": "installed", "icon": "package", "label": "Installed", "url": "/home", "count": 14},
            {"key": "sites", "icon": "building-2", "label": "Client sites", "url": "/list", "count": 214, "go": "s"},
        ],
    },
    {"label": "Build", "items": [{"key": "studio", "icon": "code", "label": "Module Studio", "url": "/studio"}]},
    {
        "label": "Agency",
        "items": [
            {"key": "members", "icon": "users", "label": "Members", "url": "/form"},
            {"key": "audit", "icon": "scroll-text", "label": "Audit", "url": "/empty"},
        ],
    },
]


def _layout() -> dict[str, Any]:
    return {
        "nav": NAV,
        "me": SimpleNamespace(name="Maya Okafor", email="maya@studiolumen.co", initials="MO", hue=1),
        "agency": SimpleNamespace(name="Studio Lumen", hue=3, initials="SL", note="Owner"),
        "agencies": [
            SimpleNamespace(id="agc_1", name="Studio Lumen", hue=3, initials="SL", current=True),
            SimpleNamespace(id="agc_2", name="Northbeam", hue=5, initials="N", current=False),
        ],
        "home_url": "/home",
        "switch_url": "/post",
        "account_url": "/form",
        "signout_url": "/post",
        "theme_url": "/theme",
        "palette_url": "/found",
    }


def create_gallery() -> Flask:
    """The app; pages: /home /list /form /empty /wizard /studio /sign-in /runtime /error/<code>."""
    app = Flask(__name__, static_folder=None)
    app.config.update(SECRET_KEY="gallery", TESTING=True)
    app.jinja_loader = ChoiceLoader(  # type: ignore[misc]  # Flask declares a property; assigning is its documented use
        [FileSystemLoader(TEMPLATES), FileSystemLoader(HERE / "templates")]
    )
    CSRFProtect(app)
    register_ui(app, "platform")
    app.context_processor(_layout)

    @app.get("/<name>")
    def page(name: str) -> str:
        if name not in {"home", "list", "form", "empty", "wizard", "studio", "sign-in", "parts"}:
            abort(404)
        now = utcnow()
        return render_template(
            "gallery/_results.html" if name == "list" and is_htmx() else f"gallery/{name}.html",
            form=SiteForm(),
            sites=SITES,
            now=now,
            earlier=now - timedelta(hours=3),
            q=request.args.get("q", ""),
            sort=request.args.get("sort", "name"),
        )

    @app.post("/form")
    def save() -> tuple[str, int] | Response:
        form = SiteForm()
        if not form.validate():
            return render_template("gallery/form.html", form=form), 422
        trigger_toast("success", "Site saved", "Harbour Dental is up to date.")
        return respond(redirect_to="/form")

    @app.post("/toast")
    def toast() -> Response:
        trigger_toast("success", "Lead archived", "Asha Patel", undo="/post")
        return respond(fragment="gallery/_row.html", redirect_to="/parts")

    @app.get("/job")
    def job() -> str:
        template = "gallery/_job.html" if is_htmx() else "gallery/job.html"
        return render_template(template, percent=63)

    @app.get("/found")
    def found() -> str:
        return render_template("gallery/_found.html", q=request.args.get("q", ""))

    @app.get("/broken")
    def broken() -> tuple[str, int]:
        return render_template(
            "errors/_fragment.html", title="Broken", detail="On purpose.", request_id="req_1", logs_url=""
        ), 500

    @app.post("/upload")
    def upload() -> Response:
        names = [file.filename for file in request.files.getlist("package") if file.filename]
        trigger_toast("success", f"{len(names)} files", ", ".join(str(name) for name in names))
        return respond(redirect_to="/home")

    @app.post("/post")
    def post() -> Any:
        return redirect("/home", 303)

    @app.post("/theme")
    def theme() -> Any:
        answer = redirect("/home", 303)
        answer.set_cookie("theme", request.form["theme"])
        return answer

    @app.get("/error/<int:code>")
    def error(code: int) -> tuple[str, int]:
        return render_template(
            f"errors/{code}.html",
            request_id="req_01jd3v9k2m8q",
            logs_url="",
            detail="The record changed since you read it.",
        ), code

    @app.get("/runtime")
    def runtime() -> str:
        return render_template(
            "gallery/runtime.html",
            page_title="Book a visit",
            site_name="Harbour Dental",
            theme=request.args.get("theme", "light"),
            accent="#0f766e",
            embedded=False,
            parents=[],
            page_name="contact",
            sent=False,
            closed=False,
        )

    return app
