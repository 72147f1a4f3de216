"""The page of `upbench review`: keys, undo, export, and the way of the labels back into a calibration."""
import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import browser  # noqa: E402

# Colours of the input are shifted by a network that was trained on other pictures: something is decided on each of them.
SPEC = """name: review-me
images: {procedural: {classes: [dead-leaves, text], count: 4, size: 96, seed: 3}, lr: {scale: 2}}
pipeline:
  - upscale: {model: [nearest, compact-x2]}
metrics: [colour-shift, texture-loss]
"""


class Review(browser.PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)
        (cls.path / "spec.yaml").write_text(SPEC)
        browser.upbench("run", "spec.yaml", "--store", "s.db", "--keep-outputs", "all", folder=cls.path)
        browser.upbench("review", "s.db", "-o", "review.html", "--unflagged", "5", folder=cls.path)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()
        super().tearDownClass()

    def text(self, page, selector):
        return page.locator(selector).inner_text()

    def export(self, page):
        with page.expect_download() as download:
            page.keyboard.press("e")
        return json.loads(pathlib.Path(download.value.path()).read_text())

    def test_keys_label_and_undo(self):
        page = self.open(self.path / "review.html")
        first = self.text(page, "#what")
        self.assertIn("1 of ", self.text(page, "#place"))
        page.keyboard.press("a")
        self.assertIn("2 of ", self.text(page, "#place"))
        self.assertIn("1 labelled", self.text(page, "#place"))
        page.keyboard.press("r")
        page.keyboard.press("u")  # takes the rejection back and shows that region again
        self.assertIn("2 of ", self.text(page, "#place"))
        self.assertIn("1 labelled", self.text(page, "#place"))
        page.keyboard.press("u")
        self.assertEqual(self.text(page, "#what"), first)
        self.assertIn("0 labelled", self.text(page, "#place"))
        page.keyboard.press("u")  # nothing left to undo
        page.keyboard.press("n")
        self.assertIn("2 of ", self.text(page, "#place"))
        self.assertIn("0 labelled", self.text(page, "#place"))
        page.keyboard.press("p")
        self.assertEqual(self.text(page, "#what"), first)

    def test_a_second_label_replaces_the_first_and_undo_brings_it_back(self):
        page = self.open(self.path / "review.html")
        page.click("#accept")
        page.click("#previous")
        self.assertEqual(self.text(page, "#verdict"), "labelled: accept")
        page.click("#reject")
        page.click("#undo")
        self.assertEqual(self.text(page, "#verdict"), "labelled: accept")

    def test_pictures_are_shown(self):
        page = self.open(self.path / "review.html")
        self.assertEqual(page.title(), "Review: review-me")
        image = page.locator("#pictures img").first
        image.wait_for()
        self.assertGreater(image.evaluate("image => image.naturalWidth"), 50)
        self.assertIn("result of ", image.get_attribute("alt"))

    def test_labels_go_back_into_a_calibration(self):
        page = self.open(self.path / "review.html")
        items = json.loads(page.locator("#data").text_content())["items"]
        self.assertGreater(len(items), 5)
        for item in items:
            page.keyboard.press("a" if item["flagged"] else "r")
        labels = self.export(page)
        self.assertEqual(len(labels["labels"]), len(items))
        self.assertEqual({label["label"] for label in labels["labels"]}, {"accept" if item["flagged"] else "reject" for item in items})
        (self.path / "labels.json").write_text(json.dumps(labels))
        browser.upbench("calibrate", "--labels", "labels.json", "-o", "mine.json", folder=self.path)
        mine = json.loads((self.path / "mine.json").read_text())["reference"]  # these pictures have one
        self.assertTrue(mine["version"].endswith("+labels"))
        for detector in {item["detector"] for item in items}:
            for share in ("sensitivity", "specificity"):  # every label agreed with the detector
                count = mine["detectors"][detector][share]
                self.assertEqual(count["k"], count["n"])

    def test_nothing_stands_in_the_way_of_keyboard_and_screen_reader(self):
        page = self.open(self.path / "review.html")
        self.assertEqual(self.axe(page), [])


if __name__ == "__main__":
    sys.exit(browser.main())
