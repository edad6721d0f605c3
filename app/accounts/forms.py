"""Sign-in, passwords, profile: what browsers send."""

from __future__ import annotations

from wtforms import BooleanField, HiddenField, PasswordField, SelectField
from wtforms.validators import DataRequired, InputRequired, Length

from app.accounts.passwords import MAX_BYTES, MIN_CHARACTERS
from app.web.forms import Email, Form, Text, locales, time_zones, valid_email

NEW_PASSWORD_HELP = f"At least {MIN_CHARACTERS} characters. Four unrelated words are strong and easy to remember."
_NEW = {"autocomplete": "new-password", "maxlength": MAX_BYTES}
_NOW = {"autocomplete": "current-password", "maxlength": MAX_BYTES}


class SignInForm(Form):
    email = Email("E-mail", [DataRequired("Enter your e-mail address."), Length(max=254)],
                  render_kw={"autocomplete": "username", "autocapitalize": "none"})  # fmt: skip
    password = PasswordField("Password", [InputRequired("Enter your password."), Length(max=MAX_BYTES)], render_kw=_NOW)
    next = HiddenField()


class ForgotForm(Form):
    email = Email("E-mail", [DataRequired("Enter your e-mail address."), Length(max=254), valid_email],
                  render_kw={"autocomplete": "username", "autocapitalize": "none"})  # fmt: skip


class ResetForm(Form):
    password = PasswordField("New password", [InputRequired("Choose a password.")], render_kw=_NEW,
                             description=NEW_PASSWORD_HELP)  # fmt: skip


class PasswordForm(Form):
    old = PasswordField("Current password", [InputRequired("Enter your current password.")], render_kw=_NOW)
    password = PasswordField("New password", [InputRequired("Choose a new password.")], render_kw=_NEW,
                             description=NEW_PASSWORD_HELP)  # fmt: skip
    end_others = BooleanField("Sign out everywhere else", default=True)


class ProfileForm(Form):
    name = Text("Name", [DataRequired("Enter your name."), Length(max=120)], render_kw={"autocomplete": "name"})
    time_zone = SelectField("Time zone", choices=time_zones, description="Times are shown in it.")
    locale = SelectField("Dates and numbers", choices=locales)
