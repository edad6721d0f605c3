"""Speaks SMTP. What a letter says and when it is tried again is decided elsewhere."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr
from urllib.parse import unquote, urlsplit


class Refused(Exception):
    """The server will not take this letter, now or later (5xx)."""


class Unreachable(Exception):
    """The server did not take the letter this time."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter to one person. message_id: the same on every attempt, so that receivers can drop a repeat."""

    message_id: str
    recipient: str
    subject: str
    text: str
    html: str = ""
    reply_to: str = ""


class Mailer:
    """One mail server: `smtp://user:password@host:587` (STARTTLS where offered) or `smtps://…:465`."""

    def __init__(self, url: str, sender: str, *, timeout_s: float = 15) -> None:
        parts = urlsplit(url)
        self.tls = parts.scheme == "smtps"
        self.host = parts.hostname or "localhost"
        self.port = parts.port or (465 if self.tls else 25)
        self.user, self.password = unquote(parts.username or ""), unquote(parts.password or "")
        self.sender, self.timeout_s = sender, timeout_s

    def send(self, letter: Letter) -> None:
        """Raises Refused or Unreachable."""
        try:
            with self._connect() as server:
                server.send_message(self._message(letter))
        except smtplib.SMTPRecipientsRefused as error:
            code, reason = next(iter(error.recipients.values()))
            raise (Refused if code >= 500 else Unreachable)(f"{code} {reason.decode(errors='replace')}") from error
        except smtplib.SMTPResponseException as error:
            raise (Refused if error.smtp_code >= 500 else Unreachable)(str(error)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error

    def _connect(self) -> smtplib.SMTP:
        if self.tls:
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout_s, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=self.timeout_s)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
        if self.user:
            server.login(self.user, self.password)
        return server

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = letter.recipient
        message["Subject"] = letter.subject
        domain = parseaddr(self.sender)[1].rpartition("@")[2] or "localhost"
        message["Message-ID"] = f"<{letter.message_id}@{domain}>" if letter.message_id else make_msgid(domain=domain)
        message["Auto-Submitted"] = "auto-generated"
        if letter.reply_to:
            message["Reply-To"] = letter.reply_to
        message.set_content(letter.text)
        if letter.html:
            message.add_alternative(letter.html, subtype="html")
        return message
