"""The plots that need a run of their own: grids, artifact rates, timing samples, growth of the costs, history, all metrics over one sigma."""
import json
import shutil

import browser

# Tiles and overlaps of two networks over pictures of two sizes, with detectors.
GRID = """name: grid
images: {path: sizes, lr: {scale: 2, kernel: matlab-bicubic}}
pipeline: [{upscale: {model: [nearest, compact-x2], tile: [none, 16, 24], overlap: [2, 4], context: 2}}]
metrics: [psnr-y, seam, hallucination]
timing: {images: 2, repeats: 3}
"""
SIGMA = """name: sigma
images: {procedural: {count: 4, size: 64, seed: 20}, lr: {scale: 2, kernel: matlab-bicubic}}
pipeline:
  - upscale: {model: lanczos}
  - refine: {checkpoint: tiny-refiner, denoise: {from: 0.2, to: 0.5, step: 0.1}, steps: 10, sampler: euler, scheduler: karras}
metrics: [psnr-y, ssim-y]
timing: none
"""
DRAW = """name: draw{size}
images: {{procedural: {{count: 2, size: {size}, seed: 5}}, lr: {{scale: 1}}}}
pipeline: [{{upscale: {{model: nearest}}}}]
metrics: [psnr-y]
timing: none
"""

folder = browser.Folder()


def setUpModule():
    (folder / "sizes").mkdir()
    for size in (48, 96):
        folder.write("draw.yaml", DRAW.format(size=size))
        browser.upbench("run", "draw.yaml", "--store", f"draw{size}.db", folder=folder.path)
        for i, picture in enumerate(sorted(path for path in (folder / f"draw{size}.db.outputs").rglob("*.png") if "pictures" not in path.parts)):
            shutil.copy(picture, folder / "sizes" / f"{size}-{i}.png")
    folder.write("grid.yaml", GRID)
    browser.upbench("run", "grid.yaml", "--store", "g.db", folder=folder.path)
    for revision in ("one", "two", "three"):
        browser.upbench("history", "add", "h.jsonl", "g.db", "--revision", revision, folder=folder.path)
    browser.upbench("report", "g.db", "--html", "grid.html", "--history", "h.jsonl", folder=folder.path)
    folder.write("sigma.yaml", SIGMA)
    browser.upbench("run", "sigma.yaml", "--store", "s.db", folder=folder.path)
    browser.upbench("report", "s.db", "--html", "sigma.html", folder=folder.path)


def tearDownModule():
    folder.remove()


class PlotsTest(browser.PageTest):
    def plot(self, name, file="grid.html"):
        """The plot of that name, drawn, and its specification."""
        page = self.open(folder / file)
        specs = json.loads(page.locator("#plot-data").text_content())
        names = [plot["name"] for plot in specs]
        self.assertIn(name, names)
        drawn = page.locator(f"#plot-{names.index(name)}")
        drawn.scroll_into_view_if_needed()
        drawn.locator("svg.marks").wait_for()
        return drawn, specs[names.index(name)]["spec"]

    def marks(self, drawn, role):
        return drawn.locator(f"svg.marks [aria-roledescription='{role}']")

    def test_a_grid_of_tiles_has_a_field_a_pair_with_its_number_in_it(self):
        for name in ("tiles_upscale_psnr-y", "tiles_upscale_seam", "tiles_upscale_time"):
            drawn, spec = self.plot(name)
            rows = spec["data"]["values"]
            self.assertEqual({(row["x"], row["y"]) for row in rows}, {(x, y) for x in ("none", "16", "24") for y in ("2", "4")})
            self.assertEqual(self.marks(drawn, "rect mark").count(), 6)
            texts = drawn.locator("svg.marks text").all_text_contents()
            for row in rows:
                self.assertIn(row["shown"], texts, name)
            self.assertIn("tile", texts)
            self.assertIn("overlap", texts)

    def test_artifact_rates_have_a_point_a_cell_over_the_whole_range(self):
        drawn, spec = self.plot("artifacts_hallucination")
        points = self.marks(drawn, "point")
        self.assertEqual(points.count(), 12)
        self.assertRegex(points.first.get_attribute("aria-label"), r"rate, 95 % interval: \d+ % \[")
        texts = drawn.locator("svg.marks text").all_text_contents()
        self.assertIn("0%", texts)
        self.assertIn("100%", texts)

    def test_every_lap_of_the_model_time_is_a_tick(self):
        drawn, spec = self.plot("timing-samples")
        laps = len(spec["data"]["values"])
        self.assertGreaterEqual(laps, 12)
        self.assertEqual(self.marks(drawn, "tick").count(), laps)
        self.assertIn(f"n = {laps} samples", drawn.inner_text())

    def test_costs_grow_from_size_to_size(self):
        drawn, spec = self.plot("growth_time")
        rows = spec["data"]["values"]
        self.assertEqual({round(row["megapixels"] * 1e6) for row in rows}, {48 * 48, 96 * 96})
        self.assertEqual(self.marks(drawn, "point").count(), len(rows))

    def test_a_history_has_a_point_a_run_under_its_own_heading(self):
        drawn, spec = self.plot("history_psnr-y")
        self.assertEqual(self.marks(drawn, "point").count(), 3 * 12)
        self.assertEqual(drawn.locator("xpath=ancestor::section/h2").inner_text(), "History")

    def test_metrics_share_one_sigma_with_the_tools_strengths_above(self):
        drawn, spec = self.plot("responses_refine-denoise", "sigma.html")
        self.assertEqual(self.marks(drawn, "point").count(), 2 * 4)
        strengths = spec["layer"][2]["data"]["values"]
        texts = drawn.locator("svg.marks text").all_text_contents()
        self.assertGreater(len(strengths), 4)
        for row in strengths:
            self.assertIn(row["shown"], texts)
        self.assertIn("ComfyUI", " ".join(texts))
        self.assertIn("100%", texts)

    def test_axe_finds_nothing(self):
        self.assertEqual(self.axe(self.open(folder / "grid.html")), [])


if __name__ == "__main__":
    browser.main()
