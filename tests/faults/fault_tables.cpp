#include <ostream>

#include "tests/faults/fault.h"
#include "tests/faults/pickle_corpus.h"
#include "tests/faults/pictures.h"

namespace upbench::test {

std::string test_name(const Fault& fault) {
  return "Row" + std::to_string(fault.row) + "_" + fault.name;
}

void PrintTo(const Fault& fault, std::ostream* out) {
  *out << fault.input;
}

std::vector<FaultTable> fault_tables() {
  return {refused_pictures(), noted_pictures(),       lenient_pictures(), changed_pictures(),
          set_faults(),       name_faults(),          weight_faults(),    network_faults(),
          changed_weights(),  pickle_corpus_faults(), spec_faults(),      numeric_faults(),
          device_faults()};
}

}  // namespace upbench::test
