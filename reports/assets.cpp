#include "reports/assets.h"

#define UPBENCH_ASSET(function, symbol)                                                             \
  extern "C" const char upbench_##symbol[], upbench_##symbol##_end[];                               \
  std::string_view upbench::assets::function() {                                                    \
    return {upbench_##symbol, static_cast<std::size_t>(upbench_##symbol##_end - upbench_##symbol)}; \
  }

UPBENCH_ASSET(page, report_html)
UPBENCH_ASSET(style, report_css)
UPBENCH_ASSET(main_script, main_js)
UPBENCH_ASSET(plots_script, plots_js)
UPBENCH_ASSET(table_script, table_js)
UPBENCH_ASSET(viewer_controls_script, viewer_controls_js)
UPBENCH_ASSET(viewer_script, viewer_js)
UPBENCH_ASSET(licences, licences_txt)
UPBENCH_ASSET(vega_bundle, vega_bundle_js)
