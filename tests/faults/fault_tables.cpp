#include <ostream>

#include "tests/faults/fault.h"
#include "tests/faults/pictures.h"

namespace upbench::test {

std::string test_name(const Fault& fault) {
  return "Row" + std::to_string(fault.row) + "_" + fault.name;
}

void PrintTo(const Fault& fault, std::ostream* out) {
  *out << fault.input;
}

std::vector<FaultTable> fault_tables() {
  return {refused_pictures(), noted_pictures(), set_faults(),
          weight_faults(),    spec_faults(),    numeric_faults()};
}

}  // namespace upbench::test
