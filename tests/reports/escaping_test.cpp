// Names come from files, models and prompts: whatever they hold, they stay text (row by row the usual
// injections).
#include <regex>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reports/render/csv.h"
#include "reports/render/html.h"
#include "reports/render/json.h"
#include "reports/render/latex.h"
#include "reports/render/markdown.h"
#include "reports/render/text.h"
#include "reports/report.h"
#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

struct Case {
  std::string name, text, html, markdown, latex, csv;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> list = {
      {"Tag", "<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;",
       "&lt;img src=x onerror=alert(1)&gt;", "\\textless{}img src=x onerror=alert(1)\\textgreater{}",
       "<img src=x onerror=alert(1)>"},
      {"ScriptEnd", "</script><script>", "&lt;/script&gt;&lt;script&gt;", "&lt;/script&gt;&lt;script&gt;",
       "\\textless{}/script\\textgreater{}\\textless{}script\\textgreater{}", "</script><script>"},
      {"Quotes", "\"a' b`", "&quot;a&#39; b`", "\"a' b\\`", "\\textquotedbl{}a' b`", "\"\"\"a' b`\""},
      {"Entity", "&lt;", "&amp;lt;", "&amp;lt;", "\\&lt;", "&lt;"},
      {"LineSeparator", "a\u2028b", "a\uFFFDb", "a\uFFFDb", "a?b", "a\uFFFDb"},
      {"Newline", "a\r\nb", "a\uFFFD\uFFFDb", "a\uFFFD\uFFFDb", "a??b", "a\uFFFD\uFFFDb"},
      {"Formula", "=cmd|' /C calc'!A0", "=cmd|&#39; /C calc&#39;!A0", "=cmd\\|' /C calc'\\!A0",
       "=cmd\\textbar{}' /C calc'!A0", "'=cmd|' /C calc'!A0"},
      {"Plus", "+1+1", "+1+1", "+1+1", "+1+1", "'+1+1"},
      {"At", "@SUM(1,2)", "@SUM(1,2)", "@SUM(1,2)", "@SUM(1,2)", "\"'@SUM(1,2)\""},
      {"NegativeNumber", "-0.5", "-0.5", "-0.5", "-0.5", "-0.5"},
      {"Ansi", "\x1b[31mred\x1b[0m", "\uFFFD[31mred\uFFFD[0m", "\uFFFD\\[31mred\uFFFD\\[0m", "?[31mred?[0m",
       "\uFFFD[31mred\uFFFD[0m"},
      {"MarkdownLink", "[x](http://e)|**b**_i_", "[x](http://e)|**b**_i_",
       "\\[x\\](http://e)\\|\\*\\*b\\*\\*\\_i\\_", "[x](http://e)\\textbar{}**b**\\_i\\_",
       "[x](http://e)|**b**_i_"},
      {"Latex", "\\input{/etc/passwd}%$#^~", "\\input{/etc/passwd}%$#^~", "\\\\input{/etc/passwd}%\\$#^\\~",
       "\\textbackslash{}input\\{/etc/passwd\\}\\%\\$\\#\\textasciicircum{}\\textasciitilde{}",
       "\\input{/etc/passwd}%$#^~"},
      {"Placeholder", "{{scripts}}", "{{scripts}}", "{{scripts}}", "\\{\\{scripts\\}\\}", "{{scripts}}"},
      {"InvalidUtf8", "a\xFF", "a\uFFFD", "a\uFFFD", "a?", "a\uFFFD"}};
  return list;
}

Table one_cell(const std::string& text) {
  Table table{.id = "t", .title = {}, .caption = {}, .columns = {{.id = "c", .title = "c"}}, .rows = {}};
  table.add({.cells = {text_cell(text)}});
  return table;
}

class Escaping : public testing::TestWithParam<Case> {};

TEST_P(Escaping, EachRendererKeepsTextText) {
  const Case& each = GetParam();
  EXPECT_EQ(escape_html(each.text), each.html);
  EXPECT_EQ(escape_markdown(each.text), each.markdown);
  EXPECT_EQ(escape_latex(each.text), each.latex);
  EXPECT_EQ(render_csv(one_cell(each.text)), "c\r\n" + each.csv + "\r\n");
  const nlohmann::json parsed = nlohmann::json::parse(render_json(one_cell(each.text)).dump());
  EXPECT_EQ(parsed[0]["c"].get<std::string>().find('\x1b'), std::string::npos);
  EXPECT_EQ(render_text(one_cell(each.text)).find('\x1b'), std::string::npos);
}

// Every tag of the page, data and scripts left out, is one that we write, with attributes that we write.
TEST_P(Escaping, ThePageHasNoElementButOurs) {
  const std::string page = report_html(test::hostile_run(GetParam().text));
  static const std::vector<std::string> kTags = {
      "html",    "head",  "meta",   "title",      "style",    "body",    "header",  "p",      "h1",
      "ul",      "li",    "dl",     "dt",         "dd",       "nav",     "div",     "a",      "main",
      "section", "h2",    "figure", "figcaption", "table",    "thead",   "tbody",   "tr",     "th",
      "td",      "small", "b",      "pre",        "noscript", "details", "summary", "footer", "script"};
  static const std::regex kAttributes(
      R"re((?: (?:lang|charset|name|content|http-equiv|class|href|id|aria-label|aria-labelledby|role|tabindex|scope|type|data-v|data-id|data-key|data-better|data-status)="[^"<>]*")*)re");
  std::size_t scripts = 0, tags = 0;
  for (std::size_t at = page.find("<!DOCTYPE html>") + 15; (at = page.find('<', at)) != std::string::npos;
       ++tags) {
    const std::size_t end = page.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const bool closing = page[at + 1] == '/';
    const std::string tag = page.substr(at + 1 + closing, end - at - 1 - closing),
                      name = tag.substr(0, tag.find(' '));
    EXPECT_NE(std::find(kTags.begin(), kTags.end(), name), kTags.end()) << "<" << tag << ">";
    const std::string attributes = tag.substr(name.size());
    EXPECT_TRUE(std::regex_match(attributes, kAttributes)) << "<" << tag << ">";
    at = end + 1;
    if (closing || (name != "script" && name != "style")) continue;
    if (name == "script") ++scripts;
    at = page.find("</" + name + ">", at);
    ASSERT_NE(at, std::string::npos);
  }
  EXPECT_EQ(scripts, 7U);  // data of plots, the bundle, five of ours
  EXPECT_GT(tags, 200U);
}

TEST_P(Escaping, EveryReportHoldsUp) {
  const RunData data = test::hostile_run(GetParam().text);
  EXPECT_TRUE(nlohmann::json::accept(report_json(data)));
  EXPECT_EQ(report_markdown(data).find('\x1b'), std::string::npos);
  EXPECT_EQ(report_ranking_text(data).find('\x1b'), std::string::npos);
  EXPECT_FALSE(report_latex(data).empty());
  const std::string csv = report_csv(data);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'),
            13);  // header and 12 trials, none broken into two lines
}

INSTANTIATE_TEST_SUITE_P(Row121, Escaping, testing::ValuesIn(cases()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace upbench
