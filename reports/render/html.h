#pragma once

#include <string>
#include <string_view>

#include "reports/table.h"

namespace upbench {

// <figure> with caption and <table>: readable without script; table.js adds sorting and filtering. Cells of
// numbers carry the unrounded value in data-v, rows their status in data-status unless it is ok.
std::string render_html(const Table& table);

// For text between tags and inside double-quoted attributes.
std::string escape_html(std::string_view text);

// The same for a sentence of our own, which may be longer than a name.
std::string escape_html_sentence(std::string_view text);

// <pre> with lines kept.
std::string render_html_block(std::string_view text);

}  // namespace upbench
