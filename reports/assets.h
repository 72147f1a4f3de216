#pragma once

#include <string_view>

// Files of reports/assets/, part of the program (assets.S).
namespace upbench::assets {

std::string_view page();   // report.html: placeholders {{name}}
std::string_view style();  // report.css
// In the order of their running:
std::string_view table_script();            // table.js
std::string_view plots_script();            // plots.js
std::string_view viewer_controls_script();  // viewer_controls.js
std::string_view viewer_script();           // viewer.js
std::string_view main_script();             // main.js
std::string_view licences();                // licences.txt
std::string_view
vega_bundle();  // vega.bundle.js; empty where it could not be exported when upbench was built

}  // namespace upbench::assets
