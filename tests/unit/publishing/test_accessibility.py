"""Pages in the server's own browser: what axe finds refuses, nothing of the module runs or gets out, and without one it is said."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.lib import browser as browsers
from app.lib.browser import BrowserFailed, browser
from app.lib.clock import utcnow
from app.studio.editor.starters import STARTERS, starter_files
from app.studio.publishing import accessibility
from app.studio.publishing.embeds import check_embeds
from app.studio.publishing.work import Outcome, Work
from tests.support.chromium import find_chromium
from tests.support.packages import notes, package

pytestmark = [pytest.mark.usefixtures("wired", "app_context"), pytest.mark.timeout(180)]
MANIFEST = b"pages:\n  all: {template: all.html, title: All}\n"
PALE = "p { color: #aaa }\n.behind { background: #fff }\n"  # two rules: the document alone does not show it


@pytest.fixture(autouse=True)
def chromium(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own, so that none of them depends on what a server has."""
    path = find_chromium()
    monkeypatch.setattr(accessibility, "find_browser", lambda: path)


def checked(html: str, css: str = "") -> Outcome:
    files = notes("look-notes", files={"templates/all.html": html, "assets/a.css": css})
    files["module.yaml"] += MANIFEST
    return check_embeds(Work(package(files), utcnow()))


def test_what_only_shows_once_it_is_drawn_refuses_and_says_how_to_mend_it() -> None:
    found = checked('<link rel="stylesheet" href="assets/a.css"><h1>All</h1><p class="behind">Pale</p>', PALE)
    [problem] = found.errors
    assert (problem.code, problem.path, problem.file) == ("accessibility", "pages.all", "templates/all.html")
    assert "contrast" in problem.message
    assert "Expected contrast ratio of 4.5:1" in problem.remedy
    assert "A browser drew 1 page, and axe found 1 fault." in found.detail
    good = checked(
        '<link rel="stylesheet" href="assets/a.css"><h1>All</h1><p class="behind">Dark</p>', "p { color: #222 }"
    )
    assert (good.problems, "axe found no grave fault" in good.detail) == ([], True)


def test_without_a_browser_it_is_said_and_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accessibility, "find_browser", lambda: None)
    found = checked('<link rel="stylesheet" href="assets/a.css"><h1>All</h1><p class="behind">Pale</p>', PALE)
    assert (found.problems, found.detail.endswith("Accessibility was not looked at: no browser on this server.")) == (
        [],
        True,
    )


@pytest.fixture
def heard() -> Iterator[tuple[int, list[str]]]:
    """(port, what a server of this machine was asked for)."""
    asked: list[str] = []

    class Listens(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listens)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, asked
    server.shutdown()


def test_nothing_of_a_page_runs_or_leaves_the_browser(heard: tuple[int, list[str]], tmp_path: Path) -> None:
    port, asked = heard
    out = f"http://127.0.0.1:{port}"
    (tmp_path / "near.html").write_text("near")
    html = f"""<html lang="en"><title>Still</title>
    <link rel="stylesheet" href="{out}/style"><link rel="preconnect" href="{out}"><img alt="" src="{out}/picture">
    <script>document.title = "Ran"; fetch("{out}/fetch"); new Image().src = "{out}/image"</script>
    <script src="{out}/script"></script><img alt="" src="x" onerror="document.title = 'Ran'">
    <iframe title="A" src="{out}/frame"></iframe><iframe title="B" src="file://{tmp_path}/near.html"></iframe>
    <object data="{out}/object"></object><video src="{out}/film" autoplay></video></html>"""
    with browser(find_chromium(), within_s=90) as window:
        window.show(html, lambda path: None)
        assert window.run("document.title") == "Still"
        assert window.run("[...document.images].every((one) => one.naturalWidth === 0)") is True
        assert window.run("fetch('/anything').then(() => 'reached', () => 'not reached')") == "not reached"
    assert asked == []


def test_a_page_that_leads_away_is_refused_and_not_followed(
    heard: tuple[int, list[str]],
) -> None:
    port, asked = heard
    away = f'<meta http-equiv="refresh" content="0;url=http://127.0.0.1:{port}/away"><h1>All</h1>'
    found = checked(away)
    assert [one.message for one in found.errors] == ["leads away or loads itself again"]
    assert asked == []


def test_one_that_hangs_is_killed_with_what_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsers, "_stand_in", lambda path, folder: (0, 0))
    slow, alive = tmp_path / "slow", tmp_path / "alive"
    slow.write_text(f"#!/bin/sh\n(sleep 3; touch {alive}) &\nwait\n")
    slow.chmod(0o700)
    with pytest.raises(BrowserFailed, match="took too long"), browser(str(slow), within_s=1):
        pass
    time.sleep(3)
    assert not alive.exists()
    monkeypatch.setattr(accessibility, "find_browser", lambda: str(slow))
    monkeypatch.setattr(accessibility, "WITHIN_S", 0.5)
    looked = accessibility.look({"all": ("all.html", "<p>")}, package(notes("slow-notes")))
    assert looked.sentence == "Accessibility was not looked at: the browser on this server failed (it took too long)."


def test_what_people_begin_with_has_no_grave_fault() -> None:
    found = {starter.key: check_embeds(Work(package(starter_files(starter.key)), utcnow())) for starter in STARTERS}
    assert {key: [str(one) for one in told.errors] for key, told in found.items() if told.errors} == {}
