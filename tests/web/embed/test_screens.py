"""The Embed page of an install: options become code, pages are closed and opened, tokens shown once and revoked."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace

import pytest

from app.access.permissions import Role
from app.config import Config
from app.embed.snippets import Choice, code_for, how_to
from app.tenancy.models import Agency
from tests.support.domains import verified_domain
from tests.support.modules import Installed, Released, put_on
from tests.support.node import SDK, find_node, sdk
from tests.support.world import Person, World
from tests.web.conftest import Browse


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency()


@pytest.fixture
def ada(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER)


@pytest.fixture
def install(agency: Agency, world: World, config: Config, enquiries_release: Released) -> Installed:
    """Enquiries on a site of Ada's agency, which has a domain."""
    found = put_on(enquiries_release, world.site(agency), config=config, settings={"notify_to": "desk@example.test"})
    verified_domain(found.site, f"{found.public_id[4:]}.example.com")
    return found


def _path(install: Installed, rest: str = "") -> str:
    return f"/installs/{install.public_id}/embed{rest}"


def test_what_is_chosen_is_shown_live_and_as_code(browse: Browse, ada: Person, install: Installed) -> None:
    page = browse(ada).get(
        f"{_path(install)}?mode=button&theme=dark&accent=%23aa0050&label=Ask%20us&position=top-left&p.form=survey&for=html"
    )
    assert page.status == 200
    given = {
        "install": install.public_id, "page": "contact", "mode": "button", "label": "Ask us", "position": "top-left",
        "theme": "dark", "accent": "#aa0050", "params": "form=survey",
    }  # fmt: skip
    element = page.one("dramac-module")
    assert {name: element[name] for name in given} == given
    code = page.one("figure.code-block code").text
    written = "".join(f' {name}="{value}"' for name, value in given.items())
    assert code == (
        '<script src="http://127.0.0.1:8001/sdk/v1/dramac.js" async></script>\n'
        f"<dramac-module{written}></dramac-module>"
    )
    newest = json.loads((SDK / "package.json").read_text())["version"]
    script = page.one(f"script[src^='http://127.0.0.1:8001/sdk/v{newest}/']")
    assert script["integrity"].startswith("sha384-")  # type: ignore[union-attr]
    assert [tab.text for tab in page.html.select(".segments a")] == ["HTML", "WordPress", "Webflow", "React"]


def test_what_is_no_option_falls_back(browse: Browse, ada: Person, install: Installed) -> None:
    page = browse(ada).get(
        f"{_path(install)}?page=staff-notice&mode=x&theme=pink&accent=red;&lang=tlh&for=perl&p.nothing=1"
    )
    element = page.one("dramac-module")
    assert {name: value for name, value in element.attrs.items() if name not in ("loading", "preview")} == {
        "install": install.public_id, "page": "contact",
    }  # fmt: skip


@pytest.mark.parametrize("accent", ["teal", "#12", "#12345g"])
def test_a_colour_that_is_none_is_said_at_its_field(
    browse: Browse, ada: Person, install: Installed, accent: str
) -> None:
    page = browse(ada).get(_path(install), query_string={"accent": accent})
    field = page.one("#accent")
    assert (field["value"], field["aria-invalid"]) == (accent, "true")
    assert "such as #0f766e" in page.one("#accent-error").text
    assert "accent" not in page.html.select("figure.code-block code")[0].text


def test_closing_a_page_and_opening_it_again(browse: Browse, ada: Person, install: Installed) -> None:
    browser = browse(ada)
    browser.get(_path(install))
    browser.post(_path(install, "/pages/contact"), {"closed": "1"})
    closed = browser.get(_path(install))
    assert "session" in closed.one("dramac-module").attrs  # the platform's own preview
    assert 'token="PUT-YOUR-TOKEN-HERE"' in closed.one("figure.code-block code").text
    assert [mode["value"] for mode in closed.html.select("#mode option")] == ["inline", "popup", "button"]
    assert "only the script can hand one over" in closed.one("#mode-help").text
    asked = browser.get(f"{_path(install)}?mode=iframe")  # an address from before the page was closed
    assert "<iframe" not in asked.one("figure.code-block code").text
    browser.post(_path(install, "/pages/contact"), {"closed": "0"})
    assert browser.get(_path(install)).html.select("#mode-help") == []
    assert "session" not in browser.get(_path(install)).one("dramac-module").attrs
    assert browser.post(_path(install, "/pages/auto-reply"), {"closed": "1"}).status == 404


def test_a_token_is_shown_once_and_revoked(browse: Browse, ada: Person, install: Installed) -> None:
    browser, [origin] = browse(ada), [f"https://{install.public_id[4:]}.example.com"]
    browser.get(_path(install, "/tokens/new"))
    wrong = browser.post(
        _path(install, "/tokens"), {"name": "", "expires": "90", "origins": "https://elsewhere.example"}
    )
    assert (wrong.status, wrong.errors) == (422, ["Enter a name."])
    other = browser.post(
        _path(install, "/tokens"), {"name": "A", "expires": "90", "origins": "https://elsewhere.example"}
    )
    assert other.errors == ["https://elsewhere.example is not a verified domain of this site."]
    made = browser.post(_path(install, "/tokens"), {"name": "Members", "expires": "90", "origins": origin})
    assert made.status == 201
    text = made.one("#key-value").text
    assert text.startswith("dmc_et_")
    listed = browser.get(_path(install))
    assert text not in listed.text
    row = listed.one("tr[id^='emt_']")
    assert [" ".join(cell.get_text(" ").split()) for cell in row.select("th, td")][:3] == [
        f"Members …{text[-6:]}", origin, "Active",
    ]  # fmt: skip
    browser.post(f"/embed-tokens/{row['id']}/revoke", {})
    assert "Revoked" in browser.get(_path(install)).one("tr[id^='emt_']").text


def test_a_viewer_sees_the_code_and_changes_nothing(
    browse: Browse, world: World, agency: Agency, install: Installed
) -> None:
    vic = browse(world.person(agency, Role.VIEWER))
    page = vic.get(_path(install))
    assert page.status == 200
    assert page.html.select("main form[method=post]") == []
    assert vic.post(_path(install, "/pages/contact"), {"closed": "1"}).status == 403
    assert vic.post(_path(install, "/tokens"), {"name": "A", "expires": "90"}).status == 403


@pytest.mark.parametrize("mode", ["inline", "iframe", "button"])
def test_the_code_for_react_and_wordpress_is_sound(mode: str) -> None:
    choice = Choice(
        "https://run.example", "ins_x", "contact", mode=mode, label='It\'s "here" <b>', params={"a": "b'c\\"}
    )
    wordpress = code_for(choice, "wordpress")
    [shortcode] = re.findall(r"add_shortcode\('(dramac_contact_[0-9a-f]{6})'", wordpress)
    assert f"[{shortcode}]" in how_to(choice, "wordpress")
    other = replace(choice, params={"form": "survey"})
    assert shortcode not in code_for(other, "wordpress")  # both on one site: neither takes the other's place
    assert "It's" not in wordpress  # it would end the PHP string
    check = "import {transformSync} from 'esbuild'; transformSync(process.argv[1], {loader: 'jsx'});"
    command = [find_node(), "--input-type=module", "--eval", check, "--", code_for(choice, "react")]
    done = subprocess.run(command, cwd=sdk(), capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert json.dumps(code_for(choice, "html")).count("<b>") == 0
