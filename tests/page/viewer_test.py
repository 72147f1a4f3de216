"""The comparison of pictures: zoom, synchrony, blink, slider, difference, links, keys, on the pixels that the browser shows."""
import io
import json
import re

from PIL import Image

import browser

# Two interpolators of drawn pictures: small, quick, and unlike each other at every edge.
SPEC = """name: viewer
images: {procedural: {count: 3, size: 160, seed: 3}, lr: {scale: 2, kernel: matlab-bicubic}}
pipeline: [{upscale: {model: [nearest, lanczos, bilinear]}}]
metrics: [psnr-y, ssim-y]
timing: none
"""

# What an enlargement by repeated pixels shows: a detector that flags it and says where.
FLAGGED = SPEC.replace("[psnr-y, ssim-y]", "[psnr-y, hallucination]").replace("name: viewer", "name: flagged")

folder = browser.Folder()


def setUpModule():
    folder.write("spec.yaml", SPEC)
    folder.write("flagged.yaml", FLAGGED)
    browser.upbench("run", "flagged.yaml", "--store", "f.db", folder=folder.path)
    browser.upbench("report", "f.db", "--html", "flagged.html", folder=folder.path)
    browser.upbench("run", "spec.yaml", "--store", "v.db", folder=folder.path)
    browser.upbench("report", "v.db", "--html", "whole.html", folder=folder.path)
    browser.upbench("report", "v.db", "--html", "crops.html", "--embed-limit", "0.15", "--full-pictures", folder=folder.path)


def tearDownModule():
    folder.remove()


def pixels(locator):
    return Image.open(io.BytesIO(locator.screenshot())).convert("RGB")


def same(first, second, box):
    """Equal in the box, up to a row or column: a pane may lie at a fraction of a pixel, and then a screenshot begins beside it."""
    part = first.crop(box).tobytes()
    return any(second.crop((box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)).tobytes() == part for dx in (0, -1, 1) for dy in (0, -1, 1))


class ViewerPages(browser.PageTest):
    def viewer(self, page="whole.html", hash=""):
        opened = self.open(folder / page, hash)
        opened.wait_for_selector("#viewer .pane canvas")
        self.come_to_rest(opened)
        return opened

    def come_to_rest(self, page):
        """Plots above the pictures are drawn when they come near, and move what lies below: a click would miss."""
        viewer, last = page.locator("#viewer"), None
        viewer.scroll_into_view_if_needed()
        while last != (last := viewer.bounding_box()):
            page.wait_for_timeout(100)

    def state(self, page):
        return page.evaluate("(({x, y, zoom, mode, a, b, front, scene}) => ({x, y, zoom, mode, a, b, front, scene}))(document.getElementById('viewer').viewer.state)")

    def canvas(self, page, index=0):
        return page.locator("#viewer .pane canvas").nth(index)

    def mode(self, page, name):
        page.get_by_role("button", name=name, exact=True).click()

    def without_marks(self, page):
        page.get_by_label("marks").uncheck()


class ViewerTest(ViewerPages):
    def test_every_method_the_reference_and_the_input_have_a_pane_with_scores(self):
        page = self.viewer()
        captions = page.locator("#viewer .pane figcaption").all_inner_texts()
        self.assertEqual(len(captions), 5)
        self.assertTrue(all(re.search(r"psnr-y \d+\.\d+ dB · ssim-y 0\.\d+", text) for text in captions[:3]), captions)
        self.assertIn("reference", captions[3])
        self.assertIn("input", captions[4])

    def test_zoom_is_in_whole_device_pixels(self):
        page = self.viewer(hash="#view?scene=0&a=m1&b=m2&mode=blink&x=80&y=80&zoom=8")
        self.without_marks(page)
        self.assertEqual(page.locator("#viewer output").inner_text(), "8 : 1")
        shown = pixels(self.canvas(page))
        middle = shown.height // 2
        row = [shown.getpixel((x, middle)) for x in range(40, shown.width - 40)]
        lengths = []
        start = 0
        for x in range(1, len(row) + 1):
            if x == len(row) or row[x] != row[start]:
                lengths.append(x - start)
                start = x
        self.assertGreater(len(lengths), 10, "the picture has edges in this row")
        self.assertTrue(all(length % 8 == 0 for length in lengths[1:-1]), lengths)

    def test_panes_move_together(self):
        page = self.viewer()
        first, second = self.canvas(page, 0), self.canvas(page, 3)
        before = [pixels(first).tobytes(), pixels(second).tobytes()]
        box = first.bounding_box()
        page.mouse.move(box["x"] + 60, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + 100, box["y"] + 90)
        page.mouse.up()
        moved = self.state(page)
        self.assertLess(moved["x"], 80)
        self.assertNotEqual(pixels(first).tobytes(), before[0])
        self.assertNotEqual(pixels(second).tobytes(), before[1])

    def test_difference_of_a_picture_with_itself_is_black_and_gain_multiplies(self):
        page = self.viewer()
        self.mode(page, "Difference")
        self.without_marks(page)
        page.get_by_label("A", exact=True).select_option("m1")
        page.get_by_label("B", exact=True).select_option("m1")
        self.assertEqual(pixels(self.canvas(page)).crop((20, 20, 400, 400)).getextrema(), ((0, 0),) * 3)
        page.get_by_label("A", exact=True).select_option("m2")
        values = []
        for gain in ("1", "4"):
            page.get_by_label("Gain of the difference").select_option(gain)
            values.append(pixels(self.canvas(page)).crop((200, 200, 600, 400)).tobytes())
        self.assertGreater(max(values[0]), 0)
        self.assertTrue(all(quadruple == min(255, 4 * single) for single, quadruple in zip(*values)))

    def test_heat_map_colours_the_difference(self):
        page = self.viewer()
        self.mode(page, "Difference")
        self.without_marks(page)
        page.get_by_label("A", exact=True).select_option("m1")
        page.get_by_label("B", exact=True).select_option("m2")
        page.get_by_label("Gain of the difference").select_option("16")
        plain = pixels(self.canvas(page)).crop((200, 200, 600, 400))
        page.get_by_label("heat map").check()
        heat = pixels(self.canvas(page)).crop((200, 200, 600, 400))
        # What is equal stays black; small differences, grey before, are violet; great ones are light.
        pairs = list(zip(plain.get_flattened_data(), heat.get_flattened_data()))
        self.assertTrue(all(max(hot) <= 2 for cold, hot in pairs if max(cold) == 0))
        small = [hot for cold, hot in pairs if 50 <= min(cold) and max(cold) <= 80]
        self.assertGreater(len(small), 10)
        self.assertTrue(all(hot[2] > hot[1] + 30 for hot in small))
        great = [hot for cold, hot in pairs if min(cold) >= 250]
        self.assertGreater(len(great), 10)
        self.assertTrue(all(min(hot) > 200 for hot in great))

    def test_boxes_of_detectors_are_drawn_until_marks_are_off(self):
        page = self.viewer("flagged.html", "#view?scene=1&x=80&y=80&zoom=2")
        boxes = page.evaluate("document.getElementById('viewer').viewer.scene.boxes")
        self.assertTrue(boxes and all(box["kind"] == "hallucination" for box in boxes), boxes)
        flagged = self.canvas(page, boxes[0]["method"])
        outlined = lambda: sum(pixel == (0x56, 0xB4, 0xE9) for pixel in pixels(flagged).get_flattened_data())
        self.assertGreater(outlined(), 100)
        self.without_marks(page)
        self.assertEqual(outlined(), 0)

    def test_the_map_of_what_a_detector_flagged_glows_over_the_dimmed_picture(self):
        page = self.viewer("flagged.html", "#view?scene=1&x=80&y=80&zoom=2")
        self.without_marks(page)
        maps = page.evaluate("document.getElementById('viewer').viewer.scene.maps.filter(map => map.threshold !== null)")
        self.assertTrue(maps and all(shown["kind"] == "hallucination" for shown in maps), maps)
        self.assertEqual(page.get_by_label("Map", exact=True).locator("option").all_inner_texts(), ["none", "hallucination", "local SSIM", "local error"])
        flagged = self.canvas(page, maps[0]["method"])
        before = pixels(flagged)
        page.get_by_label("Map", exact=True).select_option("hallucination")
        after = pixels(flagged)
        # Where the map is black the picture is dimmed to two fifths, where it is white it shines.
        dimmed = sum(abs(new[c] - 0.4 * old[c]) <= 2 for old, new in zip(before.get_flattened_data(), after.get_flattened_data()) if max(old) > 60 for c in range(3))
        glowing = sum(new[0] > old[0] + 40 for old, new in zip(before.get_flattened_data(), after.get_flattened_data()))
        self.assertGreater(dimmed, 1000)
        self.assertGreater(glowing, 50)
        caption = page.locator("#viewer .pane figcaption").nth(maps[0]["method"]).inner_text()
        self.assertRegex(caption, r"hallucination: black 0, white [\d.]+ levels; flagged above [\d.]+ levels")
        self.assertIn("map=hallucination", page.evaluate("document.getElementById('viewer').viewer.link"))

    def test_local_scores_glow_where_a_method_errs_on_one_scale_for_all(self):
        page = self.viewer(hash="#view?scene=0&x=80&y=80&zoom=2")
        self.without_marks(page)
        before = [pixels(self.canvas(page, pane)) for pane in range(4)]
        for kind, scale in (("local SSIM", r"local SSIM: black 1, white 0\.\d+ and less"), ("local error", r"local error: black 0, white [\d.]+ levels of Y and more")):
            page.get_by_label("Map", exact=True).select_option(kind)
            captions = page.locator("#viewer .pane figcaption .map").all_inner_texts()
            self.assertEqual(len(captions), 3)
            self.assertEqual(len(set(captions)), 1, "one scale")
            self.assertRegex(captions[0], scale)
            light = []
            for pane in range(3):
                after = pixels(self.canvas(page, pane))
                light.append(sum(max(0, new[0] - old[0]) for old, new in zip(before[pane].get_flattened_data(), after.get_flattened_data())))
            self.assertGreater(max(light[:2]), 100_000)
            self.assertLess(light[self.method(page, "lanczos")], light[self.method(page, "nearest")])
            self.assertEqual(pixels(self.canvas(page, 3)).tobytes(), before[3].tobytes(), "the reference has no map")

    def method(self, page, name):
        return page.evaluate("name => document.getElementById('viewer').viewer.layers.findIndex(layer => layer.name.startsWith(name))", name)

    def test_the_worst_places_of_a_detector_lead_to_its_boxes(self):
        page = self.viewer("flagged.html")
        chooser = page.get_by_label("Metric of the worst places")
        self.assertIn("hallucination (artifact)", chooser.locator("option").all_inner_texts())
        chooser.select_option(label="hallucination (artifact)")
        first = page.locator("#viewer .worst li").first
        self.assertRegex(first.inner_text(), r"hallucination [\d.]+ levels on .*, flagged")
        first.locator("a").click()
        page.wait_for_timeout(200)
        state = page.evaluate("(({map, mark, b}) => ({map, mark, b}))(document.getElementById('viewer').viewer.state)")
        self.assertEqual(state["map"], "hallucination")
        boxes = page.evaluate("document.getElementById('viewer').viewer.scene.boxes")
        x, y, width, height = state["mark"]
        inside = [box for box in boxes if box["method"] == int(state["b"][1:]) - 1 and x <= box["rect"][0] + box["rect"][2] / 2 <= x + width and y <= box["rect"][1] + box["rect"][3] / 2 <= y + height]
        self.assertTrue(inside, "the mark holds a box of that method")

    def test_slider_shows_a_on_the_left_and_b_on_the_right(self):
        page = self.viewer(hash="#view?scene=0&a=m1&b=m2&mode=blink&x=80&y=80&zoom=4")
        self.without_marks(page)
        zoomed = {}
        for front in ("b", "a"):
            if self.state(page)["front"] != front:
                page.get_by_role("button", name="Swap").click()
            zoomed[front] = pixels(self.canvas(page))
        self.mode(page, "Slider")
        split = pixels(self.canvas(page))
        width, height = split.size
        left, right = (8, 8, width // 2 - 8, height - 8), (width // 2 + 8, 8, width - 8, height - 8)
        self.assertTrue(same(split, zoomed["a"], left))
        self.assertTrue(same(split, zoomed["b"], right))
        self.assertFalse(same(zoomed["a"], zoomed["b"], left))

    def test_keys_work_only_while_the_panes_have_the_focus(self):
        page = self.viewer()
        page.keyboard.press("d")
        self.assertEqual(self.state(page)["mode"], "grid")
        page.locator("#viewer .panes").focus()
        for key, expected in [("b", {"mode": "blink"}), ("2", {"b": "m2"}), ("Shift+Digit3", {"a": "m3"}), (" ", {"front": "a"}),
                              ("s", {"mode": "slider"}), (" ", {"a": "m2", "b": "m3"}), ("d", {"mode": "difference"}), ("n", {"scene": 1}), ("p", {"scene": 0})]:
            page.keyboard.press(key)
            page.wait_for_timeout(100)
            self.assertLessEqual(expected.items(), self.state(page).items(), key)
        zoom = self.state(page)["zoom"]
        page.keyboard.press("+")
        self.assertEqual(self.state(page)["zoom"], zoom + 1)
        page.keyboard.press("ArrowRight")
        page.keyboard.press("f")
        self.assertEqual(self.state(page)["x"], 80)

    def test_a_worst_place_opens_its_scene_marked_and_by_link(self):
        page = self.viewer()
        links = page.locator("#viewer .worst a")
        self.assertEqual(links.count(), 3)
        links.first.click()
        page.wait_for_timeout(200)
        self.assertEqual(self.state(page)["mode"], "slider")
        mark = [float(number) for number in re.search(r"mark=([^&]*)", page.evaluate("location.hash"))[1].replace("%2C", ",").split(",")]
        self.assertEqual([self.state(page)[axis] for axis in "xy"], [mark[0] + mark[2] / 2, mark[1] + mark[3] / 2], "the place is in the middle")
        self.mode(page, "Blink")  # the slider's bar has the outline's colour
        colours = {colour for _, colour in pixels(self.canvas(page)).getcolors(1 << 24)}
        self.assertIn((255, 213, 74), colours, "the place is outlined")
        again = self.viewer(hash=page.evaluate("location.hash"))
        self.mode(page, "Slider")
        self.assertEqual({k: v for k, v in self.state(again).items()}, self.state(page))

    def test_the_links_order_is_that_of_the_distance(self):
        page = self.viewer()
        behind = [float(found[1]) for text in page.locator("#viewer .worst li").all_inner_texts() if (found := re.search(r", ([\d.]+) behind", text))]
        self.assertEqual(behind, sorted(behind, reverse=True))
        self.assertGreater(len(behind), 1)

    def test_crops_are_embedded_and_whole_pictures_lie_beside(self):
        page = self.viewer("crops.html")
        data = json.loads(page.locator("#picture-data").text_content())
        crops = [scene for scene in data["scenes"] if scene["rect"][2:] != scene["size"]]
        links = [scene for scene in data["scenes"] if isinstance(scene["reference"], str)]
        self.assertGreater(len(crops) + len(links), 0)
        self.assertEqual(len(links), 3)
        self.assertLess(sum(len(text) for text in page.locator("script[type='text/plain']").all_text_contents()), 150_000)
        page.get_by_label("Picture", exact=True).select_option(str(data["scenes"].index(links[0])))
        page.wait_for_timeout(300)
        self.assertEqual(page.evaluate("document.getElementById('viewer').viewer.gone"), 0)
        self.assertGreater(len(pixels(self.canvas(page)).getcolors(1 << 24)), 50, "the file was drawn")


class PhoneTest(ViewerPages):
    viewport = {"width": 390, "height": 800}
    context_options = {"device_scale_factor": 2, "has_touch": True, "is_mobile": True}

    def test_the_page_is_as_wide_as_the_phone(self):
        page = self.viewer()
        self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), 390)
        self.assertLessEqual(page.locator("#viewer").bounding_box()["width"], 390)


if __name__ == "__main__":
    browser.main()
