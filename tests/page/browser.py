"""Pages of upbench in a real browser, offline: Debian's chromium driven by Playwright.

A test derives from PageTest and calls self.open(FILE). Whatever the page writes to the console as an error, throws, or asks of anything but
files, data and blobs fails the test. Run by ctest through main(): exit code 77 (skipped) with the reason where there is no browser.
"""
import base64
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SKIPPED = 77
CHROMIUM = os.environ.get("UPBENCH_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
PROGRAM = os.environ.get("UPBENCH_PROGRAM", str(pathlib.Path(__file__).resolve().parents[2] / "build" / "upbench"))


breaking = None  # (what, instead, what, instead, ...): every page is opened with these replaced (mutations_test.py)
broken = 0       # pages in which it was found


def page_file(file):
    """The page, or while `breaking` says how a broken copy beside it, whose policy allows the broken scripts."""
    global broken
    file = pathlib.Path(file)
    if breaking is None:
        return file
    text = file.read_text(encoding="utf-8")
    changes = list(zip(breaking[::2], breaking[1::2]))
    if not all(what in text for what, _ in changes):
        return file
    broken += 1
    for what, instead in changes:
        text = text.replace(what, instead)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in re.findall(r"<script>(.*?)</script>", text, re.DOTALL)]
    allowed = " ".join(f"'sha256-{value}'" for value in hashes)
    text = re.sub(r"script-src ('sha256-[^']*'\s*)+", f"script-src {allowed}", text, count=1)
    copy = file.with_name(f"broken-{file.name}")
    copy.write_text(text, encoding="utf-8")
    return copy


def why_not():
    """Why no browser can be started; empty: it can."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "no playwright beside LibTorch (scripts/setup.sh installs it)"
    return "" if CHROMIUM else "no chromium (scripts/setup.sh installs it)"


def upbench(*arguments, folder=None, expect=0):
    """Runs the program; its standard output."""
    result = subprocess.run([PROGRAM, *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=300)
    if result.returncode != expect:
        raise AssertionError(f"upbench {arguments}: exit {result.returncode}, expected {expect}\n{result.stdout}\n{result.stderr}")
    return result.stdout


class Browser:
    """One for all tests of the process, started by the first that needs it."""
    playwright = running = None

    @classmethod
    def get(cls):
        if cls.running is None:
            from playwright.sync_api import sync_playwright
            cls.playwright = sync_playwright().start()
            cls.running = cls.playwright.chromium.launch(executable_path=CHROMIUM)
        return cls.running

    @classmethod
    def close(cls):
        if cls.running is not None:
            cls.running.close()
            cls.playwright.stop()
            cls.running = None


class PageTest(unittest.TestCase):
    """A fresh context a test."""
    viewport = {"width": 1280, "height": 900}
    context_options: dict = {}
    allowed_console = ()  # parts of console errors that a test brings about itself

    def setUp(self):
        self.complaints = []
        options = {"viewport": self.viewport, "offline": True, "reduced_motion": "reduce", "accept_downloads": True, **self.context_options}
        self.context = Browser.get().new_context(**options)
        self.context.set_default_timeout(30_000 if breaking is None else 3_000)  # a page whose script died otherwise costs minutes

    def tearDown(self):
        self.context.close()
        kept = [text for text in self.complaints if not any(part in text for part in self.allowed_console)]
        self.assertEqual(kept, [], "the page complained or asked for something")

    def watch(self, page):
        def on_console(message):
            if message.type in ("error", "warning"):
                self.complaints.append(f"console {message.type}: {message.text}")

        def on_request(request):
            if request.url.split(":")[0] not in ("file", "data", "blob"):
                self.complaints.append(f"request: {request.url}")

        page.on("console", on_console)
        page.on("request", on_request)
        page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))

    def open(self, file, hash=""):
        """The page when its script says that all is drawn."""
        page = self.context.new_page()
        self.watch(page)
        page.goto(page_file(file).resolve().as_uri() + hash)
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    def axe(self, page):
        """What axe-core finds: [(rule, impact, elements)]."""
        from axe_playwright_python.sync_playwright import Axe
        return [(found["id"], found["impact"], [node["html"][:200] for node in found["nodes"][:3]]) for found in Axe().run(page).response["violations"]]


class Folder:
    """A temporary folder of a test module."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="upbench-page-"))

    def __truediv__(self, name):
        return self.path / name

    def write(self, name, text):
        (self.path / name).write_text(text, encoding="utf-8")
        return self.path / name

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


def main():
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    try:
        successful = unittest.main(exit=False).result.wasSuccessful()
    finally:
        Browser.close()
    sys.exit(0 if successful else 1)
