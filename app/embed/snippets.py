"""The code a site's people copy: one page with its options, for plain HTML, WordPress, Webflow and React."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from urllib.parse import urlencode

PLATFORMS = {"html": "HTML", "wordpress": "WordPress", "webflow": "Webflow", "react": "React"}
_HOW_TO = {
    "html": "Paste it where the page is to stand.",
    "wordpress": "Add it to the theme's functions.php or a code snippets plugin, then write [{shortcode}] where the page is to be.",
    "webflow": "Drag an Embed element to where the page is to stand and paste it there. It shows on the published site.",
    "react": "Use it as any component; it loads the script once.",
}
MODES = {
    "inline": "In the page, as tall as its content",
    "iframe": "Plain iframe, without a script",
    "popup": "Behind a button, in a dialog",
    "button": "Behind a button that floats in a corner",
}
# What a page's manifest calls the ways it may be embedded, and what they are for a host.
_MODES_OF = {"element": ("inline",), "iframe": ("inline", "iframe"), "popup": ("popup", "button")}
YOURS = "PUT-YOUR-TOKEN-HERE"


def modes_of(declared: tuple[str, ...], *, closed: bool = False) -> list[str]:
    """The ways in which a page may be embedded, in the order of MODES. closed: only those that can hand over a token."""
    open_ones = {mode for name in declared for mode in _MODES_OF[name]}
    if closed:
        open_ones.discard("iframe")  # there is no place for a token but its address, and addresses end up in logs
    return [mode for mode in MODES if mode in open_ones]


@dataclass(frozen=True, slots=True)
class Choice:
    """One page as somebody wants to embed it. closed: it opens only with a token."""

    runtime_url: str
    install: str
    page: str
    mode: str = "inline"
    theme: str = "auto"
    lang: str = ""
    accent: str = ""
    label: str = ""
    position: str = "bottom-right"
    params: Mapping[str, str] = field(default_factory=dict)
    closed: bool = False

    @property
    def attributes(self) -> dict[str, str]:
        """Of the element, without those that say what holds anyway."""
        hidden = self.mode in ("popup", "button")
        said = {
            "install": self.install, "page": self.page, "mode": self.mode if hidden else "",
            "label": self.label if hidden else "", "position": self.position if self.mode == "button" else "",
            "theme": self.theme if self.theme != "auto" else "", "lang": self.lang, "accent": self.accent,
            "params": urlencode(self.params),
        }  # fmt: skip
        return {name: value for name, value in said.items() if value}

    @property
    def script(self) -> str:
        return f"{self.runtime_url}/sdk/v1/dramac.js"

    @property
    def frame_address(self) -> str:
        said = {**self.params, "theme": self.theme, "lang": self.lang, "accent": self.accent}
        return f"{self._page_address}?{urlencode({name: value for name, value in said.items() if value})}"

    @property
    def part_address(self) -> str:
        """Of the page as HTML for the host's own server."""
        said = {
            **self.params,
            "theme": self.theme if self.theme != "auto" else "",
            "lang": self.lang,
            "accent": self.accent,
        }
        query = urlencode({name: value for name, value in said.items() if value})
        return f"{self._page_address}.html" + (f"?{query}" if query else "")

    @property
    def _page_address(self) -> str:
        return f"{self.runtime_url}/embed/{self.install}/{self.page}"


def code_for(choice: Choice, platform: str) -> str:
    """What to copy. platform: one of PLATFORMS."""
    if platform == "wordpress":
        return _shortcode(choice)
    if choice.mode == "iframe":
        return _react_frame(choice) if platform == "react" else _frame(choice)
    if platform == "react":
        return _react(choice)
    return f'<script src="{escape(choice.script)}" async></script>\n{_element(choice)}'


def how_to(choice: Choice, platform: str) -> str:
    """Where the code goes, in a sentence."""
    return _HOW_TO[platform].format(shortcode=_shortcode_name(choice))


def _element(choice: Choice) -> str:
    given = {**choice.attributes, **({"token": YOURS} if choice.closed else {})}
    return f"<dramac-module{_written(given)}></dramac-module>"


def _frame(choice: Choice) -> str:
    given = {
        "src": choice.frame_address, "title": choice.page.replace("-", " "), "width": "100%", "height": "600", "loading": "lazy",
        "sandbox": "allow-scripts allow-forms allow-popups", "referrerpolicy": "strict-origin",
    }  # fmt: skip
    return f"<iframe{_written(given)}></iframe>"


def _written(attributes: Mapping[str, str]) -> str:
    return "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())


def _shortcode_name(choice: Choice) -> str:
    """Of its own for each page and its options: two snippets in one WordPress must not take each other's place."""
    return f"dramac_{choice.page.replace('-', '_')}_{sha256(_html(choice).encode()).hexdigest()[:6]}"


def _html(choice: Choice) -> str:
    return _frame(choice) if choice.mode == "iframe" else _element(choice)


def _shortcode(choice: Choice) -> str:
    quoted = _html(choice).replace("\\", "\\\\").replace("'", "\\'")
    load = (
        "add_action('wp_enqueue_scripts', function () {\n"
        f"  wp_enqueue_script('dramac', '{choice.script}', [], null, ['strategy' => 'async']);\n"
        "});\n"
    )
    made = f"add_shortcode('{_shortcode_name(choice)}', function () {{\n  return '{quoted}';\n}});"
    return made if choice.mode == "iframe" else load + made


def _react(choice: Choice) -> str:
    return f"""import {{ useEffect }} from "react";

const SDK = "{choice.script}";

export function DramacModule() {{
  useEffect(() => {{
    if (document.querySelector(`script[src="${{SDK}}"]`)) return;
    document.head.append(Object.assign(document.createElement("script"), {{ src: SDK, async: true }}));
  }}, []);
  return {_element(choice)};
}}"""


def _react_frame(choice: Choice) -> str:
    html = _frame(choice).replace("referrerpolicy", "referrerPolicy").replace("></iframe>", " />")
    return f"export function DramacPage() {{\n  return {html};\n}}"
