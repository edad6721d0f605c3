"""A real mail server on loopback, for tests of letters."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller

from app.config import Config
from app.lib.mail import Mailer
from app.mail import jobs


class Postbox:
    """Keeps what is delivered."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        letter = message_from_bytes(envelope.content, policy=default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        """Letters to one address, after the mail job has run."""
        jobs.deliver()
        return [letter for letter in self.letters if letter["To"] == address]


@contextmanager
def open_postbox(config: Config) -> Iterator[Postbox]:
    """Letters leave by SMTP for a server of this process while the block runs."""
    postbox = Postbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(postbox, hostname="127.0.0.1", port=port)
    controller.start()
    jobs.configure_mail(Mailer(f"smtp://127.0.0.1:{port}", config.mail_from), config.secret_keys)
    try:
        yield postbox
    finally:
        jobs.configure_mail(None, config.secret_keys)
        controller.stop()


def words(letter: EmailMessage, kind: str = "plain") -> str:
    """The text of a letter: plain or html."""
    part = letter.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def link_in(letter: EmailMessage) -> str:
    """The path of the one link in a letter's plain text."""
    found = re.findall(r"http://localhost:8000(/\S+)", words(letter))
    assert len(found) == 1, words(letter)
    return str(found[0])
