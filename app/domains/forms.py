"""The forms of a domain."""

from __future__ import annotations

from wtforms import SelectField, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from app.domains.queries import Standable
from app.web.forms import Form, Text

PURPOSES = [
    SelectChoice("embed", "Embed modules", render_kw={"help": "Pages at this domain may show the site’s modules."}),
    SelectChoice("api", "Call the API", render_kw={"help": "Pages at this domain may call the API with publishable keys."}),
    SelectChoice("pages", "Serve pages", render_kw={"help": "Visitors of this domain get pages from here. It has to lead here."}),
]  # fmt: skip


class HostForm(Form):
    """What add_domain() wants of a domain for the platform itself."""

    host = Text("Domain", [InputRequired("Enter the domain."), Length(max=300)],
                description="As in the address bar, such as www.example.com. Each host is a domain of its own.")  # fmt: skip


class DomainForm(HostForm):
    """What add_domain() wants of a site's domain."""

    purposes = SelectMultipleField("What it is for", choices=PURPOSES, default=["embed"])


class ServingForm(Form):
    """What change_domain() wants. target: a module's page as `ins_…/page`, or "" for the site's own pages."""

    purposes = SelectMultipleField("What it is for", choices=PURPOSES)
    target = SelectField("What stands there")
    www = SelectField("www")

    def offer(self, host: str, standable: list[Standable], *, own_pages: bool) -> None:
        """Fill the choices. own_pages: whether sites have pages of their own."""
        own = [SelectChoice("", "The site’s own pages")] if own_pages else [SelectChoice("", "Nothing yet")]
        self.target.choices = own + [SelectChoice(one.value, f"{one.module}: {one.title}") for one in standable]
        self.www.choices = [
            SelectChoice("none", f"Only {host}"),
            SelectChoice("to_host", f"www.{host} as well, which leads to {host}"),
            SelectChoice("to_www", f"www.{host} as well, and {host} leads there"),
        ]  # fmt: skip
        if host.startswith("www."):
            self.www.choices = self.www.choices[:1]
