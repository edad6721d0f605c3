"""Devices in the list of sessions."""

from __future__ import annotations

import pytest

from app.web.devices import device, device_is_phone

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
)
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1"


@pytest.mark.parametrize(
    ("user_agent", "words", "phone"),
    [
        (CHROME, "Chrome on Windows", False),
        (f"{CHROME} Edg/156.0", "Edge on Windows", False),
        (SAFARI, "Safari on iPhone", True),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux", False),
        ("curl/8.5.0", "curl", False),
        ("", "Unknown device", False),
    ],
)
def test_a_device_is_named_as_people_name_it(user_agent: str, words: str, phone: bool) -> None:
    assert (device(user_agent), device_is_phone(user_agent)) == (words, phone)
