#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "reports/plots.h"

// A grid of two axes with a number in each field.
namespace upbench {

struct HeatMap {
  struct Field {
    double value = std::numeric_limits<double>::quiet_NaN();  // none: the field stays empty
    std::string shown;                                        // in the field
    std::string told;                                         // beside it, on request: with unit
    std::size_t cells = 0, pictures = 0;                      // behind it
  };
  std::string name, title, subtitle, caption;
  std::string x_title, y_title, value_title;
  bool higher_is_better = true;
  std::vector<std::string> x, y;  // in the order to be drawn; distinct
  std::vector<Field> fields;      // of x i and y j at j * x.size() + i
};

// Nothing where fewer than two fields have a value.
std::optional<Plot> plot_heat_map(const HeatMap& map);

}  // namespace upbench
