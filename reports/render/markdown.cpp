#include "reports/render/markdown.h"

#include <cctype>

#include <fmt/format.h>

#include "reports/render/format.h"

namespace upbench {

namespace {

// A backslash before ASCII punctuation is itself invisible in markdown. '.', '-', '+', '#' act at the start
// of a line only, where no text of ours stands; '<' and '&' become entities because some readers pass HTML
// through despite the backslash.
std::string escape(const std::string& clean) {
  const auto is_word = [&](std::size_t i) {
    return i < clean.size() && std::isalnum(static_cast<unsigned char>(clean[i]));
  };
  std::string escaped;
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const char c = clean[i];
    if (c == '<')
      escaped += "&lt;";
    else if (c == '>')
      escaped += "&gt;";
    else if (c == '&')
      escaped += "&amp;";
    else {
      // Inside a word an underscore is only itself; names are full of them and people read the source, too.
      const bool plain = c == '_' && i > 0 && is_word(i - 1) && is_word(i + 1);
      if (!plain && std::string_view("\\`*_[]|~!$").find(c) != std::string_view::npos) escaped += '\\';
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace

std::string escape_markdown(std::string_view text) {
  return escape(clean_text(text));
}

std::string escape_markdown_sentence(std::string_view text) {
  return escape(clean_sentence(text));
}

std::string render_markdown(const Table& table) {
  std::string text = "|", rule = "|";
  for (const Table::Column& column : table.columns) {
    text += fmt::format(" {} |", escape_markdown(column.title));
    rule += is_number(column) ? " ---: |" : " --- |";
  }
  text += "\n" + rule + "\n";
  for (const Table::Row& row : table.rows) {
    text += "|";
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const std::string cell = escape_markdown(format_cell(table.columns[i], row.cells[i]));
      text += row.cells[i].best ? fmt::format(" **{}** |", cell) : fmt::format(" {} |", cell);
    }
    text += "\n";
  }
  if (table.left_out > 0)
    text += fmt::format("\n{} more rows are left out here; the CSV holds all.\n", table.left_out);
  return text;
}

}  // namespace upbench
