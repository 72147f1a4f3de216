#pragma once

#include <string>
#include <vector>

#include "tests/faults/fault.h"

namespace upbench::test {

// docs/faults.md.
std::string fault_page(const std::vector<FaultTable>& tables);

}  // namespace upbench::test
