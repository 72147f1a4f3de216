#include "reports/render/html.h"

#include <fmt/format.h>

#include "reports/render/format.h"

namespace upbench {
namespace {

std::string escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string head(const Table::Column& column) {
  const char* better = column.better == Table::Better::higher  ? " data-better=\"higher\""
                       : column.better == Table::Better::lower ? " data-better=\"lower\""
                                                               : "";
  return fmt::format("<th scope=\"col\"{}{} data-id=\"{}\">{}</th>", is_number(column) ? " class=\"n\"" : "",
                     better, escape_html(column.id), escape_html(column.title));
}

// The spread is set apart by the style sheet, so the parts of a cell are put together here and not by
// format_cell.
std::string body(const Table::Column& column, const Table::Cell& cell) {
  if (!is_number(column)) return fmt::format("<td>{}</td>", escape_html(cell.text));
  std::string inner = cell.value ? format_value(column, cell, *cell.value) : "–";
  if (cell.best) inner = fmt::format("<b>{}</b>", inner);
  if (cell.value && cell.spread)
    inner += fmt::format(" <small>± {}</small>", format_value(column, cell, *cell.spread));
  if (cell.value && cell.interval) inner += fmt::format(" <small>{}</small>", format_interval(column, cell));
  if (!cell.text.empty()) inner += fmt::format(" <small>({})</small>", escape_html(cell.text));
  return fmt::format("<td class=\"n\" data-v=\"{}\">{}</td>", cell.value ? exact(*cell.value) : "", inner);
}

}  // namespace

std::string escape_html(std::string_view text) {
  return escape(clean_text(text));
}

std::string escape_html_sentence(std::string_view text) {
  return escape(clean_sentence(text));
}

std::string render_html_block(std::string_view text) {
  return fmt::format("<pre>{}</pre>\n", escape(clean_block(text)));
}

std::string render_html(const Table& table) {
  std::string text = fmt::format("<figure class=\"table\" id=\"table-{}\">\n", escape_html(table.id));
  if (!table.caption.empty())
    text += fmt::format("<figcaption>{}</figcaption>\n", escape_html(table.caption));
  text += fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{}\">\n<table>\n<thead><tr>",
      escape_html(table.title));
  for (const Table::Column& column : table.columns) text += head(column);
  text += "</tr></thead>\n<tbody>\n";
  for (const Table::Row& row : table.rows) {
    text += "<tr";
    if (row.status != Status::ok) text += fmt::format(" data-status=\"{}\"", to_string(row.status));
    if (!row.key.empty()) text += fmt::format(" data-key=\"{}\"", escape_html(row.key));
    text += ">";
    for (std::size_t i = 0; i < row.cells.size(); ++i) text += body(table.columns[i], row.cells[i]);
    text += "</tr>\n";
  }
  text += "</tbody>\n</table>\n</div>\n";
  if (table.left_out > 0)
    text += fmt::format("<p class=\"note\">{} more rows are left out here; the CSV holds all.</p>\n",
                        table.left_out);
  return text + "</figure>\n";
}

}  // namespace upbench
