#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "datasets/image_set.h"

// The spec file (YAML, and so JSON too). Strict: at most 1 MB and 64 levels of UTF-8; no anchors, aliases,
// merge keys, tags or second document; every key known and there once; every value of its type and in its
// range. Numbers are decimal (no octal, no NaN, no infinity), only true and false are booleans, `~` is
// nothing. In paths a leading `~` is refused and `$` stands for itself: neither is expanded. A UTF-8 byte
// order mark and CRLF are accepted. Torch-free.
namespace upbench {

// "FILE:LINE:COLUMN: what, expected what". The program exits with 2.
class SpecError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

// One parameter of a stage with every value it takes. A single value is no axis. A model is the JSON of what
// was written: "name",
// {"chain": ["a", "b"]} or {"blend": {"a": 0.5, "b": 0.5}}. An optional parameter that was not given has the
// one value null.
struct Axis {
  std::string path;  // "upscale.model": stage id and parameter
  std::vector<nlohmann::json>
      values;  // typed: number, string, bool, object; ranges already expanded (0.1, 0.2, ... exactly)
  std::vector<std::string> labels;  // each value as written ("0.3", "lanczos", "a_x2+b_x2")
  std::vector<std::string>
      locations;       // where each value stands: "FILE:LINE:COLUMN"; empty where it is a default
  int zip = -1;        // axes with the same number >= 0 move together
  bool swept = false;  // written as a list, range or zip
};

struct StageSpec {
  std::string id;                // default: the kind, then kind-2, ...
  std::string kind;              // "upscale", "resize", "degrade"
  std::vector<Axis> parameters;  // every parameter of the kind, defaults filled, in the kind's order
};

// A cell is left out when every condition holds.
struct Exclusion {
  struct Condition {
    std::string path;
    enum class Test { equals, below, above, one_of } test = Test::equals;
    std::vector<nlohmann::json> values;
  };
  std::vector<Condition> conditions;
  std::string text;  // as written, for the report
};

// Of the model times that `run` takes after the sweep (harness/timing/measure.h); `run --time` asks for more.
struct TimingSpec {
  int images = 1;         // the first N pictures under each cell; 0: none
  int repeats = 3;        // samples of each, once it is warm
  double budget_s = 2.0;  // for each on average, warm-up included; one sample is always taken
};

// A score that others report for a cell of this spec: shown beside its own.
struct Published {
  std::vector<std::pair<std::string, std::string>> where;  // axis path, value as written
  std::vector<std::pair<std::string, double>> scores;      // metric as written, mean over the pictures
  std::string source;                                      // paper, table, release
};

struct Spec {
  std::string name;
  ImageSetSpec images;  // paths resolved against the file that wrote them
  int scale = 0;  // images.scale: wanted of pictures that have no reference; 0: whatever the pipeline gives
  std::vector<StageSpec> pipeline;
  std::vector<std::string>
      metrics;  // as written; checked by the caller against the metric catalog. `metrics: none`: empty
  // A model trained on squared error: where no reference is known, what it makes of the same input is what
  // detectors of invented detail judge by. null: none.
  nlohmann::json fidelity;
  std::vector<std::uint64_t> seeds{0};
  std::vector<Exclusion> exclude;
  TimingSpec timing;
  std::vector<Published> published;
  std::string text;                  // the file as written
  std::filesystem::path directory;   // relative paths are beside the spec
  nlohmann::json canonical() const;  // defaults filled, keys sorted; identifies the request
};

// `extends: FILE` (beside the file that says so, `.yaml` may be left out): maps merge key by key, everything
// else is replaced; naming another source of pictures replaces the base's. Cycles are refused. overrides:
// "path=value" with the value in YAML: keys and list indices ("pipeline.0.upscale.tile=[none,64]",
// "images.limit=2") or a stage's id and parameter ("upscale.tile=[none,64]"). They act after `extends`; an
// unknown path is an error. All throw SpecError.
Spec read_spec(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});
Spec parse_spec(std::string_view text, const std::string& file_name, const std::filesystem::path& directory,
                const std::vector<std::string>& overrides = {});

}  // namespace upbench
