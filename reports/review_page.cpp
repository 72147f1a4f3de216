#include "reports/review_page.h"

#include <string_view>

#include <nlohmann/json.hpp>

#include "reports/render/html.h"

namespace upbench {
namespace {

constexpr std::string_view kHead = R"page(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<style>
body { font: 16px/1.4 system-ui, sans-serif; margin: 1rem auto; max-width: 80rem; padding: 0 1rem; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.3rem; }
#pictures { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; }
figure img { width: 18rem; image-rendering: pixelated; border: 1px solid #777; display: block; }
button { font: inherit; padding: .3rem .8rem; }
button:focus-visible { outline: 3px solid #0a58ca; }
#verdict { font-weight: bold; }
kbd { border: 1px solid #777; border-radius: 3px; padding: 0 .3em; }
</style>
)page";

constexpr std::string_view kBody = R"page(
<p id="place" aria-live="polite"></p>
<p id="what"></p>
<p>Is there such a defect in this region? <span id="verdict"></span></p>
<div id="pictures"></div>
<p>
<button id="accept">Accept <kbd>a</kbd></button>
<button id="reject">Reject <kbd>r</kbd></button>
<button id="next">Next <kbd>n</kbd></button>
<button id="previous">Previous <kbd>p</kbd></button>
<button id="undo">Undo <kbd>u</kbd></button>
<button id="export">Export labels <kbd>e</kbd></button>
</p>
<p>Accept: the defect is there. Reject: it is not. Decisions that were not flagged are among them, unmarked, as a
sample: they show what the detector misses. Labels go to <code>upbench calibrate --labels labels.json</code>.</p>
</main>
<script>
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const items = data.items, labels = new Map(), history = [];
let at = 0;
const show = (id, text) => { document.getElementById(id).textContent = text; };
function draw() {
  const done = labels.size;
  if (items.length === 0) { show("place", "Nothing to review."); return; }
  const item = items[at];
  show("place", `${at + 1} of ${items.length}; ${done} labelled`);
  show("what", `${item.detector} · ${item.picture} · ${item.cell}`);
  show("verdict", labels.has(at) ? `labelled: ${labels.get(at)}` : "");
  const box = document.getElementById("pictures");
  box.replaceChildren();
  for (const name of ["result", "reference", "input", "map"]) {
    if (!item.pictures[name]) continue;
    const figure = document.createElement("figure"), image = document.createElement("img");
    const caption = document.createElement("figcaption");
    image.src = item.pictures[name];
    image.alt = `${name} of ${item.picture}`;
    caption.textContent = name;
    figure.append(image, caption);
    box.append(figure);
  }
}
function go(to) { at = Math.max(0, Math.min(items.length - 1, to)); draw(); }
function label(what) {
  if (items.length === 0) return;
  history.push([at, labels.get(at)]);
  labels.set(at, what);
  let next = at + 1;
  while (next < items.length && labels.has(next)) ++next;
  go(next < items.length ? next : at);
}
function undo() {
  const last = history.pop();
  if (!last) return;
  if (last[1] === undefined) labels.delete(last[0]); else labels.set(last[0], last[1]);
  go(last[0]);
}
function save() {
  const list = [...labels].sort((one, other) => one[0] - other[0]).map(([index, what]) => {
    const { pictures, ...rest } = items[index];
    return { ...rest, label: what };
  });
  const blob = new Blob([JSON.stringify({ run: data.run, labels: list }, null, 1)], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = "labels.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
const actions = { a: () => label("accept"), r: () => label("reject"), n: () => go(at + 1), p: () => go(at - 1), u: undo, e: save };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !actions[event.key]) return;
  event.preventDefault();
  actions[event.key]();
});
for (const [id, key] of [["accept", "a"], ["reject", "r"], ["next", "n"], ["previous", "p"], ["undo", "u"], ["export", "e"]])
  document.getElementById(id).addEventListener("click", actions[key]);
draw();
document.documentElement.dataset.ready = "";
</script>
</body>
</html>
)page";

// Inside <script>: no text may end it or begin a comment.
std::string script_json(const nlohmann::json& value) {
  std::string text;
  for (const char c : value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace))
    if (c == '<')
      text += "\\u003c";
    else
      text += c;
  return text;
}

}  // namespace

std::string review_page(const std::string& title, const std::string& run, const nlohmann::json& entries) {
  const std::string name = escape_html("Review: " + title);
  std::string page(kHead);
  page += "<title>" + name + "</title>\n</head>\n<body>\n<main>\n<h1>" + name + "</h1>\n";
  page += "<script type=\"application/json\" id=\"data\">" + script_json({{"run", run}, {"items", entries}}) +
          "</script>";
  page += kBody;
  return page;
}

}  // namespace upbench
