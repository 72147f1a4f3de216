"""A run in which every name is an attack: of its pictures, its settings, and in their metadata. Nothing of it may become markup, script or a request."""
import html.parser
import shutil

import browser

NAMES = [
    "<img src=x onerror=alert(1)>", "\"><svg onload=alert(2)>", "'-alert(3)-'", "&lt;b&gt;", "a\u2028b", "=cmd|calc!A0", "x\u202egnp.exe",
    "{{title}}", "${alert(4)}", "e\x1b[31mred",
]
ELEMENTS = {"html", "head", "meta", "title", "style", "body", "header", "p", "h1", "ul", "li", "a", "dl", "dt", "dd", "nav", "div", "main", "section", "h2",
            "figure", "figcaption", "table", "thead", "tbody", "tr", "th", "td", "b", "small", "noscript", "footer", "details", "summary", "pre", "script", "time"}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "href", "aria-labelledby", "id", "role", "aria-label", "tabindex", "scope", "data-id",
              "data-better", "data-v", "data-status", "data-key", "type", "data-scene"}

folder = browser.Folder()


def setUpModule():
    (folder / "drawn").mkdir()
    folder.write("draw.yaml", f"name: draw\nimages: {{procedural: {{count: {len(NAMES)}, size: 48, seed: 3}}, lr: {{scale: 1}}}}\n"
                              "pipeline: [{upscale: {model: nearest}}]\nmetrics: [psnr-y]\ntiming: none\n")
    browser.upbench("run", "draw.yaml", "--store", "draw.db", folder=folder.path)
    pictures = sorted(path for path in (folder / "draw.db.outputs").rglob("*.png") if "pictures" not in path.parts)
    for picture, name in zip(pictures, NAMES):
        shutil.copy(picture, folder / "drawn" / f"{name.replace('/', ':')}.png")
    folder.write("spec.yaml", "name: hostile\nimages: {path: drawn, lr: {scale: 2, kernel: matlab-bicubic}}\n"
                              "pipeline: [{upscale: {model: [nearest, lanczos]}}]\nmetrics: [psnr-y]\ntiming: none\n")
    browser.upbench("run", "spec.yaml", "--store", "h.db", folder=folder.path)
    browser.upbench("report", "h.db", "--html", "h.html", folder=folder.path)


def tearDownModule():
    folder.remove()


class Outline(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.elements, self.attributes = set(), set()

    def handle_starttag(self, tag, attributes):
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attributes}


class HostileTest(browser.PageTest):
    def test_no_element_or_attribute_that_the_report_does_not_write(self):
        outline = Outline()
        outline.feed(browser.page_file(folder / "h.html").read_text(encoding="utf-8"))
        self.assertLessEqual(outline.elements, ELEMENTS)
        self.assertLessEqual(outline.attributes, ATTRIBUTES)

    def test_names_are_text_everywhere_and_nothing_of_them_runs(self):
        page = self.open(folder / "h.html")
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        shown = page.locator("main").inner_text()
        for name in NAMES[:4]:
            self.assertIn(name, shown)
        self.assertNotIn("\u2028", shown)
        self.assertNotIn("\u202e", shown)
        self.assertNotIn("\x1b", shown)
        for mode in ("Slider", "Blink", "Difference", "Side by side"):
            page.get_by_role("button", name=mode, exact=True).click()
        for i in range(len(NAMES)):
            page.get_by_label("Picture", exact=True).select_option(str(i))
        for plot in page.locator("figure.plot").all():
            plot.scroll_into_view_if_needed()
            plot.hover()
        self.assertEqual(page.locator("img").count(), 0)
        self.assertEqual(page.evaluate("[...document.scripts].filter(script => script.src).length"), 0)

    def test_a_script_that_the_page_does_not_know_is_refused(self):
        text = (folder / "h.html").read_text(encoding="utf-8").replace("</body>", "<script>document.title = 'broken into'</script></body>")
        page = self.open(folder.write("planted.html", text))
        self.assertNotEqual(page.title(), "broken into")
        self.assertGreater(len(self.complaints), 0, "the browser says that it refused")
        self.assertEqual([text for text in self.complaints if "Content Security Policy" not in text], [])
        self.complaints.clear()


if __name__ == "__main__":
    browser.main()
