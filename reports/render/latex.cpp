#include "reports/render/latex.h"

#include <fmt/format.h>

#include "reports/render/format.h"

namespace upbench {
namespace {

struct Replacement {
  std::string_view from, to;
};

// Characters that LaTeX takes for commands, and those of our own formatting that its default fonts lack.
constexpr Replacement kReplacements[] = {{"\\", "\\textbackslash{}"},
                                         {"{", "\\{"},
                                         {"}", "\\}"},
                                         {"$", "\\$"},
                                         {"&", "\\&"},
                                         {"#", "\\#"},
                                         {"%", "\\%"},
                                         {"_", "\\_"},
                                         {"~", "\\textasciitilde{}"},
                                         {"^", "\\textasciicircum{}"},
                                         {"<", "\\textless{}"},
                                         {">", "\\textgreater{}"},
                                         {"|", "\\textbar{}"},
                                         {"\"", "\\textquotedbl{}"},
                                         {"±", "$\\pm$"},
                                         {"∞", "$\\infty$"},
                                         {"–", "--"},
                                         {"µ", "$\\mu$"},
                                         {"·", "$\\cdot$"},
                                         {"…", "\\ldots{}"},
                                         {"↑", "$\\uparrow$"},
                                         {"↓", "$\\downarrow$"},
                                         {"Δ", "$\\Delta$"},
                                         {"×", "$\\times$"},
                                         {"≥", "$\\geq$"},
                                         {"\xEF\xBF\xBD", "?"}};

}  // namespace

std::string escape_latex(std::string_view text) {
  const std::string clean = clean_text(text);
  std::string escaped;
  for (std::string_view rest = clean; !rest.empty();) {
    std::string_view to = rest.substr(0, 1);
    std::size_t taken = 1;
    for (const Replacement& replacement : kReplacements)
      if (rest.starts_with(replacement.from)) {
        to = replacement.to;
        taken = replacement.from.size();
        break;
      }
    escaped += to;
    rest.remove_prefix(taken);
  }
  return escaped;
}

std::string render_latex(const Table& table) {
  std::string alignment, header;
  for (const Table::Column& column : table.columns) {
    alignment += is_number(column) ? 'r' : 'l';
    header += (header.empty() ? "" : " & ") + escape_latex(column.title);
  }
  std::string text = fmt::format(
      "\\begin{{table}}\n\\centering\n\\caption{{{}}}\n\\label{{tab:{}}}\n\\begin{{tabular}}{{{}}}"
      "\n\\toprule\n",
      escape_latex(table.caption.empty() ? table.title : table.caption), table.id, alignment);
  text += header + " \\\\\n\\midrule\n";
  for (const Table::Row& row : table.rows) {
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      if (i > 0) text += " & ";
      const std::string cell = escape_latex(format_cell(table.columns[i], row.cells[i]));
      text += row.cells[i].best ? fmt::format("\\textbf{{{}}}", cell) : cell;
    }
    text += " \\\\\n";
  }
  return text + "\\bottomrule\n\\end{tabular}\n\\end{table}\n";
}

}  // namespace upbench
