#pragma once

#include <string_view>

// Files of reports/assets/, part of the program (assets.S).
namespace upbench::assets {

std::string_view page();      // report.html: placeholders {{name}}
std::string_view style();     // report.css
std::string_view script();    // report.js
std::string_view licences();  // licences.txt
std::string_view
vega_bundle();  // vega.bundle.js; empty where it could not be exported when upbench was built

}  // namespace upbench::assets
