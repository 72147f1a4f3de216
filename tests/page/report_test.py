"""The page of a report: tables, plots, links between them, access, and what it is without script."""
import csv
import io
import json

import browser

SPEC = """name: page
images: {procedural: {count: 8, size: 64, seed: 5}, lr: {scale: 2, kernel: matlab-bicubic}}
pipeline: [{upscale: {model: [nearest, lanczos, bilinear], tile: [none, 16, 24], context: 2}}]
metrics: [psnr-y, ssim-y, lpips-alex]
"""

folder = browser.Folder()


def setUpModule():
    folder.write("spec.yaml", SPEC)
    browser.upbench("run", "spec.yaml", "--store", "p.db", folder=folder.path)
    browser.upbench("report", "p.db", "--html", "page.html", folder=folder.path)


def tearDownModule():
    folder.remove()


class ReportTest(browser.PageTest):
    def page(self):
        return self.open(folder / "page.html")

    def column(self, page, table, title):
        heads = page.locator(f"#table-{table} th").all_inner_texts()
        place = next(i for i, head in enumerate(heads) if head.startswith(title))
        return place, [float(value or "nan") for value in page.locator(f"#table-{table} tbody tr td:nth-child({place + 1})").evaluate_all(
            "cells => cells.map(cell => cell.dataset.v)")]

    def test_sorting_by_a_number_both_ways_starts_with_the_better_end(self):
        page = self.page()
        place, before = self.column(page, "ranking", "ssim-y")
        self.assertEqual(len(before), 9)
        button = page.locator("#table-ranking th").nth(place).get_by_role("button")
        button.click()
        _, once = self.column(page, "ranking", "ssim-y")
        self.assertEqual(once, sorted(before, reverse=True))
        self.assertEqual(page.locator("#table-ranking th").nth(place).get_attribute("aria-sort"), "descending")
        button.press("Enter")
        self.assertEqual(self.column(page, "ranking", "ssim-y")[1], sorted(before))

    def test_rows_that_failed_stay_last_in_both_directions(self):
        page = self.page()
        page.locator("#table-trials tbody tr").first.evaluate("row => { row.dataset.status = 'failed'; }")
        failed = page.locator("#table-trials tbody tr").first.inner_text()
        place, _ = self.column(page, "trials", "psnr-y")
        button = page.locator("#table-trials th").nth(place).get_by_role("button")
        for _ in range(2):
            button.click()
            self.assertEqual(page.locator("#table-trials tbody tr").last.inner_text(), failed)

    def test_the_filter_keeps_rows_with_every_word_and_counts(self):
        page = self.page()
        page.get_by_label("Filter rows of Ranking by words").fill("lanczos none")
        self.assertEqual(page.locator("#table-ranking tbody tr").count(), 1)
        self.assertEqual(page.locator("#table-ranking output").inner_text(), "1 of 9 rows")

    def test_a_column_can_be_hidden_and_the_csv_holds_the_rest_in_full(self):
        page = self.page()
        page.locator("#table-ranking summary").click()
        page.locator("#table-ranking details").get_by_text("tile", exact=True).click()
        heads = page.locator("#table-ranking th").all()
        self.assertEqual([head.inner_text() for head in heads if head.is_visible()][0], "model")
        self.assertFalse(heads[1].is_visible())
        page.get_by_label("Filter rows of Ranking by words").fill("nearest")
        with page.expect_download() as saved:
            page.get_by_label("Save Ranking as CSV").click()
        rows = list(csv.DictReader(io.StringIO(saved.value.path().read_text(encoding="utf-8"))))
        self.assertEqual(len(rows), 3)
        self.assertIn("upscale.model", rows[0])
        self.assertNotIn("upscale.tile", rows[0])
        _, values = self.column(page, "ranking", "psnr-y")
        self.assertEqual([float(row["psnr-y"]) for row in rows], values)
        self.assertGreater(len(rows[0]["psnr-y"]), 8, "unrounded")

    def expected_marks(self, spec):
        """How many marks of which role stand for rows of the data, by the specification."""
        roles, count = {"point": "point", "tick": "tick", "rect": "rect mark", "bar": "bar"}, {}
        for layer in spec["layer"]:
            role = roles.get(layer["mark"]["type"])
            if role and layer["mark"].get("aria", True) and "transform" not in layer:
                count[role] = count.get(role, 0) + len(layer.get("data", spec["data"])["values"])
        return count

    def test_every_plot_is_drawn_with_its_marks_and_says_how_many(self):
        page = self.page()
        specs = json.loads(page.locator("#plot-data").text_content())
        self.assertGreater(len(specs), 5)
        for i, plot in enumerate(specs):
            page.locator(f"#plot-{i}").scroll_into_view_if_needed()
            page.locator(f"#plot-{i} svg.marks").wait_for()
            if plot["name"].startswith("picture"):
                self.assertEqual(self.expected_marks(plot["spec"])["tick"], 9 * 8, plot["name"])
            for role, count in self.expected_marks(plot["spec"]).items():
                self.assertEqual(page.locator(f"#plot-{i} svg.marks [aria-roledescription='{role}']").count(), count, f"{plot['name']}: {role}")
            text = page.locator(f"#plot-{i}").inner_text() + page.locator("figure.plot").nth(i).locator("figcaption").inner_text()
            self.assertRegex(text, r"n = \d+|\d+ (cells|pictures|pairs)", f"{plot['name']} says how much is behind it")

    def test_a_point_of_quality_against_time_leads_to_its_row(self):
        page = self.page()
        specs = json.loads(page.locator("#plot-data").text_content())
        index = next(i for i, plot in enumerate(specs) if plot["name"].startswith("quality"))
        point = page.locator(f"#plot-{index} svg.marks [aria-roledescription='point']").first
        point.scroll_into_view_if_needed()
        point.click(force=True)
        row = page.locator("tr.chosen")
        self.assertEqual(row.count(), 1)
        self.assertIn(row.locator("td").first.inner_text(), point.get_attribute("aria-label"))

    def test_axe_finds_nothing(self):
        page = self.page()
        self.assertEqual(self.axe(page), [])

    def test_the_run_view_says_how_the_run_came_about(self):
        page = self.page()
        commands = page.locator("#table-reproduce tbody tr td:nth-child(2)").all_inner_texts()
        self.assertTrue(any("run spec.yaml --store p.db" in command for command in commands), commands)
        place, counts = self.column(page, "plan", "count")
        self.assertIn(72, counts, "trials")
        work = page.locator("#table-work tbody tr td:first-child").all_inner_texts()
        self.assertEqual(work[0], "upscale")
        _, shares = self.column(page, "work", "of the time")
        self.assertAlmostEqual(sum(shares), 1, places=6)

    def test_each_link_of_the_first_screen_leads_somewhere(self):
        page = self.page()
        targets = page.locator("header a, nav a").evaluate_all("links => links.map(link => link.hash.slice(1))")
        self.assertGreater(len(targets), 8)
        for target in targets:
            self.assertEqual(page.locator(f"[id='{target}']").count(), 1, target)


class DarkTest(browser.PageTest):
    context_options = {"color_scheme": "dark"}

    def test_axe_finds_nothing_in_the_dark(self):
        self.assertEqual(self.axe(self.open(folder / "page.html")), [])


class WithoutScriptTest(browser.PageTest):
    context_options = {"java_script_enabled": False}

    def test_answers_and_tables_can_be_read(self):
        page = self.context.new_page()
        self.watch(page)
        page.goto(browser.page_file(folder / "page.html").as_uri())
        self.assertTrue(page.locator(".findings").is_visible())
        self.assertIn("psnr-y", page.locator(".findings").inner_text())
        self.assertEqual(page.locator("#table-ranking tbody tr").count(), 9)


if __name__ == "__main__":
    browser.main()
