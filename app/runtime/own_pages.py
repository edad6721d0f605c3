"""The leave that a site's own page gives a module's page in it: to be framed there, also where it is closed elsewhere.

It stands in the frame's address and is signed for one install, page and set of parameters, so only what somebody of the
agency put on a page of the site opens, and as they put it. It ends within two days: a page that is taken off the site, or
loses the block, opens nothing afterwards. Whoever writes pages and whoever serves modules ask here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

from app.lib.crypto import sign, verify

OWN_PAGE = "_page"  # the name of the leave in an address
PREVIEW = "_preview"  # beside it: that own page is in the editor's frame, so that the platform is around both
_PURPOSE = "own-page"
# not of the block: the site's look decides the one, a form that was sent adds the other
_NOT_SIGNED = ("theme", "lang", "accent", "sent", "styles", OWN_PAGE, PREVIEW)


def give_leave(keys: tuple[str, ...], *, install: str, page: str, params: Mapping[str, str], now: datetime) -> str:
    """For a frame that is written now. The same all day (UTC), so that a page that is kept stays the same."""
    return sign(keys[0], _PURPOSE, _message(install, page, params, f"{now:%Y-%m-%d}"))


def has_leave(
    keys: tuple[str, ...], leave: str, *, install: str, page: str, params: Mapping[str, str], now: datetime
) -> bool:
    """Whether the leave was given today or yesterday, for just this. params: the whole query of the address."""
    return any(
        verify(keys, _PURPOSE, _message(install, page, params, f"{now - timedelta(days=back):%Y-%m-%d}"), leave)
        for back in (0, 1)
    )


def _message(install: str, page: str, params: Mapping[str, str], day: str) -> bytes:
    given = urlencode(sorted((key, value) for key, value in params.items() if key not in _NOT_SIGNED))
    return f"{install}|{page}|{day}|{given}".encode()
