"""A secret that the other service gave."""

from __future__ import annotations

from wtforms import PasswordField
from wtforms.validators import InputRequired, Length

from app.web.forms import Form, clean


class SecretForm(Form):
    secret = PasswordField("Secret", [InputRequired("Enter the secret."), Length(max=500)],
                           render_kw={"autocomplete": "off"},
                           description="As the other service shows it. It is kept sealed and not shown again.")  # fmt: skip

    @property
    def entered(self) -> str:
        return clean(self.secret.data)
