"""Looks at pages in a headless Chromium as a person would: one JSON value a line in, one out.

In: the Chromium, the page, what to search, the address to click on. Out: what was seen at each step.
"""

import json
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright


def panel(page):
    """The title of the open panel and its attributes; nothing when it is closed."""
    if page.locator("#panel").is_hidden():
        return None
    rows = page.locator("#panel tr").all_inner_texts()
    return {"title": page.locator("#panel h2").inner_text(), "rows": rows, "headings": page.locator("#panel h3").all_inner_texts()}


def focused(page):
    return page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.id")


def shown_nodes(page):
    return page.locator(".view:not([hidden]) .node:not([hidden])").count()


def colours(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def eye(page):
    return page.locator("#world").get_attribute("transform")


def look(page, wanted):
    seen = {"problems": [], "requests": []}
    page.on("console", lambda message: seen["problems"].append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: seen["problems"].append(str(error)))
    page.on("request", lambda request: seen["requests"].append(request.url))
    page.emulate_media(color_scheme="light")
    url = Path(wanted["page"]).resolve().as_uri()
    page.goto(url)
    seen["title"] = page.title()
    seen["summary"] = page.locator("#summary").inner_text()
    seen["nodes"] = shown_nodes(page)
    seen["markup"] = page.locator("#world :is(script, img, iframe, a, foreignObject)").count()

    page.keyboard.press("/")
    seen["slash"] = focused(page)
    page.keyboard.type(wanted["search"])
    seen["found"] = page.locator("#found").inner_text()
    page.keyboard.press("Enter")
    seen["searched"] = panel(page)
    page.keyboard.press("Escape")
    seen["escaped"] = panel(page)

    page.keyboard.press("0")
    page.locator(f'.view:not([hidden]) [aria-label^="{wanted["click"]},"] > .box').first.click(force=True)
    seen["clicked"] = panel(page)
    seen["near"] = page.locator(".view:not([hidden]) .near").count()
    page.keyboard.press("Escape")

    page.evaluate("document.activeElement.blur()")
    order = []
    for _ in range(12):
        page.keyboard.press("Tab")
        order.append(focused(page))
    page.locator(".view:not([hidden]) [tabindex='0']").focus()
    first = focused(page)
    walked = []
    for key in ("ArrowDown", "ArrowRight", "ArrowUp", "ArrowLeft"):
        page.keyboard.press(key)
        walked.append(focused(page))
    seen["keys"] = {"tab": order, "first": first, "walked": walked}
    page.keyboard.press("Enter")
    seen["entered"] = panel(page)
    page.keyboard.press("Escape")

    before = eye(page)
    page.keyboard.press("+")
    seen["zoomed"] = eye(page) != before
    page.keyboard.press("0")
    page.keyboard.press("c")
    seen["collapsed"] = shown_nodes(page)
    page.keyboard.press("c")
    seen["opened"] = shown_nodes(page)
    if page.locator("#whole").is_visible():
        page.keyboard.press("i")
        seen["instances"] = shown_nodes(page)
        page.keyboard.press("i")

    light = colours(page)
    page.emulate_media(color_scheme="dark")
    dark = colours(page)
    page.keyboard.press("t")
    seen["colours"] = [light, dark, colours(page)]
    if "picture" in wanted:
        page.screenshot(path=wanted["picture"])
    return seen


with sync_playwright() as playwright:
    for line in sys.stdin:
        wanted = json.loads(line)
        browser = playwright.chromium.launch(executable_path=wanted["chromium"], args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        print(json.dumps(look(page, wanted)), flush=True)
        browser.close()
