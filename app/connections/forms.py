"""The agency's registration with a service."""

from __future__ import annotations

from wtforms import PasswordField
from wtforms.validators import InputRequired, Length

from app.web.forms import Form, Text


class ClientForm(Form):
    client_id = Text("Client id", [InputRequired("Enter the client id."), Length(max=500)],
                     render_kw={"spellcheck": "false", "autocomplete": "off"})  # fmt: skip
    secret = PasswordField("Client secret", [Length(max=2000)], render_kw={"autocomplete": "off"},
                           description="Leave empty if the service gave none. It is kept sealed and not shown again.")  # fmt: skip
