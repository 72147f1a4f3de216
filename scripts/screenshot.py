#!/usr/bin/env python3
"""usage: screenshot.py PAGE OUT.webp [--hash '#view?...'] [--element SELECTOR] [--choose LABEL VALUE]... [--size W H] [--scale F] [--dark]

What a report looks like in Chromium, as a picture for the documentation: the top of the page, or one element of it. --hash opens the pictures at a view
(the page's "link to this view"), --choose selects VALUE of the control named LABEL first. Run it with the environment's python; docs/report.md names the
command of each of its pictures.
"""
import argparse
import io
import pathlib
import sys

from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "page"))
import browser  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--hash", default="")
    parser.add_argument("--element")
    parser.add_argument("--choose", nargs=2, action="append", default=[], metavar=("LABEL", "VALUE"))
    parser.add_argument("--size", nargs=2, type=int, default=(1280, 1000), metavar=("W", "H"))
    parser.add_argument("--scale", type=float, default=1, help="device pixels a CSS pixel")
    parser.add_argument("--dark", action="store_true")
    options = parser.parse_args()
    if reason := browser.why_not():
        sys.exit(f"screenshot.py: {reason}")

    from playwright.sync_api import sync_playwright
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.CHROMIUM)
        width, height = options.size
        page = chromium.new_page(viewport={"width": width, "height": height}, device_scale_factor=options.scale, color_scheme="dark" if options.dark else "light")
        page.goto(options.page.resolve().as_uri() + options.hash)
        page.wait_for_selector("html[data-ready]", state="attached", timeout=120_000)
        for label, value in options.choose:
            page.get_by_label(label, exact=True).select_option(value)
        shown = page.locator(options.element).first if options.element else page
        if options.element:
            shown.scroll_into_view_if_needed()
        page.wait_for_timeout(1500)  # plots that have come into view
        Image.open(io.BytesIO(shown.screenshot())).convert("RGB").save(options.out, "WEBP", quality=82, method=6)
        chromium.close()


if __name__ == "__main__":
    main()
