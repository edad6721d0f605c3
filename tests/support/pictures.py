"""The pictures of the starters, taken of their previews on a platform that runs.

PLATFORM=http://localhost:8000 EMAIL=… PASSWORD=… python -m tests.support.pictures [key …]
"""

from __future__ import annotations

import io
import os
import sys

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from app.studio.editor.starters import PICTURES
from tests.support.chromium import find_chromium, launch_arguments

SIZE = (480, 300)
SHOWN = {
    "list": "page:prices", "form": "page:form", "crud": "record:projects", "dashboard": "dashboard:home",
    "directory": "page:directory", "widget": "page:banner", "integration": "list:orders", "booking": "page:book",
    "crm": "list:deals", "shop": "page:shop", "inventory": "list:articles", "invoicing": "record:invoices",
    "helpdesk": "record:tickets", "restaurant": "page:menu", "realestate": "page:homes", "practice": "list:appointments",
    "education": "page:courses", "fitness": "page:timetable", "legal": "record:matters",
}  # fmt: skip


def main(keys: list[str]) -> None:
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=find_chromium(), args=launch_arguments())
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        _sign_in(page)
        for key in keys or list(SHOWN):
            _take(page, key)
        browser.close()


def _sign_in(page: Page) -> None:
    page.goto(f"{os.environ['PLATFORM']}/sign-in")
    page.get_by_label("E-mail").fill(os.environ["EMAIL"])
    page.locator("input[type=password]").fill(os.environ["PASSWORD"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "sign-in" not in url)


def _take(page: Page, key: str) -> None:
    page.goto(f"{os.environ['PLATFORM']}/studio/projects/new")
    page.get_by_label("Name").fill(f"Picture of {key}")
    page.locator(f"input[value={key}]").check(force=True)
    page.get_by_role("button", name="Create project").click()
    page.locator("#preview-what").select_option(SHOWN[key])
    address = page.locator("#preview-result [data-frame]").get_attribute("data-frame", timeout=60_000)
    alone = page.context.new_page()
    alone.set_viewport_size({"width": 960, "height": 600})
    alone.goto(f"{address}?theme=light")
    alone.wait_for_load_state("load")
    picture = Image.open(io.BytesIO(alone.screenshot())).convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
    picture.save(PICTURES / f"{key}.webp", quality=80, method=6)
    alone.close()


if __name__ == "__main__":
    main(sys.argv[1:])
