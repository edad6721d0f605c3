"""The forms of a domain."""

from __future__ import annotations

from wtforms.validators import InputRequired, Length

from app.web.forms import Form, Text


class DomainForm(Form):
    """What add_domain() wants."""

    host = Text("Domain", [InputRequired("Enter the domain."), Length(max=300)],
                description="As in the address bar, such as www.example.com. Each host is a domain of its own.")  # fmt: skip
