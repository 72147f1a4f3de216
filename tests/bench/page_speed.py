#!/usr/bin/env python3
"""usage: page_speed.py [--pictures N] [--size PX] [--rounds N] [--keep DIR]

How large the page of 16 methods over N pictures is (50 of 512 x 512 drawn ones), and how long Chromium takes from opening it until it can be used:
tables sortable, the first plot and the first picture drawn (the page's own mark), and until a click on a picture's mode has drawn. Median of the rounds, each in a
fresh browser process. Run it with the environment's python; the program is $UPBENCH_PROGRAM or build/upbench.
"""
import argparse
import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "page"))
import browser  # noqa: E402

METHODS = ["nearest", "bilinear", "bilinear-aa", "bicubic-a50", "bicubic-a75", "matlab-bicubic", "lanczos", "lanczos4", "torch-area", "pil-box", "pil-hamming",
           "pil-bicubic", "pil-lanczos", "cv2-cubic", "cv2-lanczos4", "compact-x2"]


def make(folder, pictures, size):
    spec = f"""name: page-speed
images: {{procedural: {{count: {pictures}, size: {size}, seed: 8}}, lr: {{scale: 2, kernel: matlab-bicubic}}}}
pipeline: [{{upscale: {{model: [{', '.join(METHODS)}]}}}}]
metrics: [psnr-y, ssim-y]
timing: none
"""
    (folder / "spec.yaml").write_text(spec, encoding="utf-8")
    browser.upbench("run", "spec.yaml", "--store", "s.db", "--keep-outputs", "all", folder=folder)
    start = time.monotonic()
    browser.upbench("report", "s.db", "--html", "page.html", folder=folder)
    return folder / "page.html", time.monotonic() - start


def measure(page_file):
    """Seconds from opening until the page says it is ready, and until the viewer has drawn another mode."""
    from playwright.sync_api import sync_playwright
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.CHROMIUM)
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        start = time.monotonic()
        page.goto(page_file.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached", timeout=120_000)
        page.wait_for_selector("#viewer .pane canvas", timeout=120_000)
        ready = time.monotonic() - start
        page.get_by_role("button", name="Slider", exact=True).click()
        page.wait_for_selector("#viewer .panes[data-mode=slider]")
        used = time.monotonic() - start
        chromium.close()
    return ready, used


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=50)
    parser.add_argument("--size", type=int, default=512, help="pixels a side")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=pathlib.Path, help="folder for spec, store and page")
    options = parser.parse_args()
    reason = browser.why_not()
    if reason:
        sys.exit(reason)
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.keep or pathlib.Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        page, seconds = make(folder, options.pictures, options.size)
        print(f"page: {page.stat().st_size / 1e6:.1f} MB, written in {seconds:.1f} s")
        times = [measure(page) for _ in range(options.rounds)]
    for name, values in zip(("ready", "first use"), zip(*times)):
        print(f"{name}: median {statistics.median(values):.2f} s of {len(values)} ({min(values):.2f} to {max(values):.2f})")


if __name__ == "__main__":
    main()
