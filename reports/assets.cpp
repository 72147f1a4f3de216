#include "reports/assets.h"

#define UPBENCH_ASSET(function, symbol)                                                             \
  extern "C" const char upbench_##symbol[], upbench_##symbol##_end[];                               \
  std::string_view upbench::assets::function() {                                                    \
    return {upbench_##symbol, static_cast<std::size_t>(upbench_##symbol##_end - upbench_##symbol)}; \
  }

UPBENCH_ASSET(page, report_html)
UPBENCH_ASSET(style, report_css)
UPBENCH_ASSET(script, report_js)
UPBENCH_ASSET(licences, licences_txt)
UPBENCH_ASSET(vega_bundle, vega_bundle_js)
