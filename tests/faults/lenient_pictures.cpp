#include <set>
#include <utility>

#include "tests/faults/pictures.h"

namespace upbench::test {

FaultTable lenient_pictures() {
  const std::set<std::string> tried = {"PngData", "HalfJpeg", "JpegWithoutEnd", "JpegScan"};
  FaultTable table{.title = "Damaged pictures in a lenient run",
                   .introduction =
                       "As above, in one run with `--lenient` (`images.lenient: true`): a JPEG with damage "
                       "in its scans is decoded as far as that goes, its trials are scored and flagged "
                       "`input_corrupt`, and the notes say what is wrong. All else fails as it does without; "
                       "so does everything in a later run without `--lenient` on the same store.",
                   .faults = {}};
  for (Fault& fault : refused_pictures().faults) {
    if (!tried.contains(fault.name)) continue;
    fault.command.emplace_back("--lenient");
    if (fault.name == "JpegScan") {
      fault.exit_code = 0;
      fault.message = "reference: corrupt: Corrupt JPEG data";
    }
    table.faults.push_back(std::move(fault));
  }
  return table;
}

}  // namespace upbench::test
