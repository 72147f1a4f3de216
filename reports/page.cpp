#include "reports/page.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "reports/assets.h"
#include "reports/headline.h"
#include "reports/pictures/gallery.h"
#include "reports/plots.h"
#include "reports/plots/history_plots.h"
#include "reports/render/base64.h"
#include "reports/render/format.h"
#include "reports/render/html.h"
#include "reports/summary.h"

namespace upbench {
namespace {

constexpr std::size_t kMostTrials = 5000;
constexpr std::string_view kPlotsAfter = "comparison";

// {{name}} -> value, in one pass: text that was put in is never searched.
std::string fill(std::string_view page, const std::map<std::string, std::string, std::less<>>& values) {
  std::string filled;
  for (std::size_t at = 0; at < page.size();) {
    const std::size_t open = page.find("{{", at), close = page.find("}}", open);
    if (close == std::string_view::npos) return filled.append(page.substr(at));
    filled.append(page.substr(at, open - at))
        .append(values.at(std::string(page.substr(open + 2, close - open - 2))));
    at = close + 2;
  }
  return filled;
}

// Each sentence with a link to the table that shows more, where the page has it.
std::string list(const char* style, const std::vector<Sentence>& sentences,
                 const std::vector<Table>& tables) {
  if (sentences.empty()) return {};
  std::string text = fmt::format("<ul class=\"{}\">\n", style);
  for (const Sentence& sentence : sentences) {
    text += fmt::format("<li>{}", escape_html_sentence(sentence.text));
    for (const Table& table : tables)
      if (table.id == sentence.evidence && !table.rows.empty())
        text += fmt::format(" <a href=\"#{}\">{}</a>", table.id, escape_html(table.title));
    text += "</li>\n";
  }
  return text + "</ul>\n";
}

std::string summary(const Headline& headline, const std::vector<Table>& tables) {
  std::string text =
      list("findings", headline.findings, tables) + list("warnings", headline.warnings, tables) + "<dl>\n";
  for (const auto& [name, value] : headline.facts)
    text += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escape_html(name), escape_html(value));
  return text + "</dl>\n";
}

// Of the plots [first, last).
std::string plot_section(const std::vector<Plot>& plots, std::size_t first, std::size_t last) {
  std::string text =
      "<noscript><p class=\"note\">The plots need JavaScript; all their figures are in the "
      "tables.</p></noscript>\n";
  if (assets::vega_bundle().empty())
    text +=
        "<p class=\"note\">This upbench was built without its plot library; the specifications of the plots "
        "are in this file.</p>\n";
  text += "<div class=\"plots\">\n";
  for (std::size_t i = first; i < last; ++i)
    text += fmt::format(
        "<figure class=\"plot{}\"><div id=\"plot-{}\" role=\"group\" "
        "aria-label=\"{}\"></div><figcaption>{}</figcaption></figure>\n",
        plots[i].wide ? " wide" : "", i, escape_html(plots[i].title), escape_html(plots[i].caption));
  return text + "</div>\n";
}

// In a data block only '<' could end the script element.
std::string data_block(const char* id, const nlohmann::json& json) {
  std::string text = fmt::format("<script type=\"application/json\" id=\"{}\">", id);
  for (const char c : json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)) {
    if (c == '<')
      text += "\\u003c";
    else
      text += c;
  }
  return text + "</script>\n";
}

std::string plot_data(const std::vector<Plot>& plots) {
  if (plots.empty()) return {};
  nlohmann::json json = nlohmann::json::array();
  for (const Plot& plot : plots)
    json.push_back({{"name", plot.name}, {"title", plot.title}, {"spec", plot.spec}});
  return data_block("plot-data", json);
}

// One block a picture, read when it is first shown: a browser need not hold all of them twice.
std::string picture_data(const Gallery& gallery) {
  std::string text = data_block("picture-data", gallery.data);
  for (std::size_t i = 0; i < gallery.sources.size(); ++i)
    text += fmt::format("<script type=\"text/plain\" id=\"picture-{}\">{}</script>\n", i, gallery.sources[i]);
  return text;
}

std::string picture_section(const Gallery& gallery) {
  std::string text =
      "<noscript><p class=\"note\">Comparing pictures needs JavaScript.</p></noscript>\n<div "
      "id=\"viewer\"></div>\n";
  for (const std::string& note : gallery.notes)
    text += fmt::format("<p class=\"note\">{}</p>\n", escape_html_sentence(note));
  return text;
}

class Sections {
 public:
  void add(std::string_view id, std::string_view title, const std::string& body) {
    links += fmt::format("<a href=\"#{}\">{}</a>\n", id, title);
    text += fmt::format("<section aria-labelledby=\"{}\">\n<h2 id=\"{}\">{}</h2>\n{}</section>\n", id, id,
                        title, body);
  }
  void add(const Table& table) {
    if (!table.rows.empty()) add(table.id, escape_html(table.title), render_html(table));
  }
  std::string links, text;
};

}  // namespace

std::string make_page(const Analysis& analysis, const Decisions& decisions, const GalleryOptions& pictures,
                      const HistoryReport* history) {
  const Headline headline = make_headline(analysis, decisions);
  std::vector<Plot> plots = make_plots(analysis, decisions);
  const std::size_t of_run = plots.size();
  if (history) std::ranges::move(history_plots(*history), std::back_inserter(plots));
  const std::vector<Table> tables = report_tables(analysis, decisions, kMostTrials);
  const std::optional<Gallery> gallery = make_gallery(analysis, decisions, pictures);
  Sections sections;
  for (const Table& table : tables) {
    sections.add(table);
    if (table.id != kPlotsAfter) continue;
    if (of_run > 0) sections.add("plots", "Plots", plot_section(plots, 0, of_run));
    if (plots.size() > of_run) sections.add("history", "History", plot_section(plots, of_run, plots.size()));
    if (gallery) sections.add("pictures", "Pictures", picture_section(*gallery));
  }
  if (!analysis.data->plan.run.spec.empty())
    sections.add("spec", "Spec", render_html_block(analysis.data->plan.run.spec));

  std::string scripts, hashes;
  const auto add_script = [&](std::string_view script) {
    const Digest digest = sha256(script);
    scripts += fmt::format("<script>{}</script>\n", script);
    hashes += fmt::format("{}'sha256-{}'", hashes.empty() ? "" : " ", base64(digest.bytes));
  };
  const bool drawn = !plots.empty() && !assets::vega_bundle().empty();
  if (drawn) add_script(assets::vega_bundle());
  for (const std::string_view script :
       {assets::table_script(), assets::plots_script(), assets::viewer_controls_script(),
        assets::viewer_script(), assets::main_script()})
    add_script(script);
  return fill(
      assets::page(),
      {{"script_hashes", hashes},
       // Pictures beside the page, from disk or from where it is served.
       {"picture_sources", pictures.full_pictures.empty() ? "" : " file: 'self'"},
       {"title", escape_html(headline.title)},
       {"css", std::string(assets::style())},
       {"summary", summary(headline, tables)},
       {"links", sections.links},
       {"sections", sections.text},
       {"source", escape_html(analysis.data->source)},
       {"licences",
        drawn ? fmt::format("<details><summary>Licences of the plot library</summary>\n{}</details>\n",
                            render_html_block(assets::licences()))
              : ""},
       {"data", plot_data(plots) + (gallery ? picture_data(*gallery) : "")},
       {"scripts", scripts}});
}

}  // namespace upbench
