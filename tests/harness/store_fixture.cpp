#include "tests/harness/store_fixture.h"

#include <stdexcept>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sqlite3.h>

namespace upbench::test {
namespace {

using namespace std::string_literals;

const std::string kOdd = "it's \"quoted\"\nsecond line \\n \\ \xFF\xC3\x28 "s + '\0' + " end";

std::string show(const std::vector<TimingRow>& timings) {
  std::string text;
  for (const auto& t : timings)
    text += fmt::format("({} {} {} {})", to_string(t.clock), t.stage, t.sample, t.seconds);
  return text;
}

// Hands every row of a query to `visit` as text columns.
template <class Visit>
void each_row(const std::filesystem::path& file, const std::string& sql, Visit visit) {
  sqlite3* database = nullptr;
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr);
  if (code == SQLITE_OK) code = sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr);
  while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
    code = SQLITE_OK;
    visit(statement);
  }
  const std::string message = sqlite3_errmsg(database);
  sqlite3_finalize(statement);
  sqlite3_close(database);
  if (code != SQLITE_DONE) throw std::runtime_error(sql + ": " + message);
}

std::string column(sqlite3_stmt* statement, int index) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, index));
  return {bytes, bytes ? static_cast<std::size_t>(sqlite3_column_bytes(statement, index)) : 0};
}

}  // namespace

Digest digest_of(const std::string& text) {
  return sha256(text);
}

RunPlan example_plan(std::uint32_t cells, std::uint32_t images) {
  RunPlan plan;
  plan.environment = {.key = digest_of("environment"), .json = R"({"cpu": "one"})" + kOdd};
  plan.run = {.key = digest_of(fmt::format("run {} {}", cells, images)),
              .name = "name " + kOdd,
              .spec = "spec " + kOdd,
              .canonical_spec = "canonical " + kOdd,
              .exclusions = "exclusions " + kOdd,
              .command = "command " + kOdd,
              .environment = plan.environment.key,
              .started_at = {},
              .finished_at = {}};
  for (std::uint32_t c = 0; c < cells; ++c)
    plan.cells.push_back({.key = digest_of(fmt::format("cell {}", c)),
                          .label = {{"upscale.model", fmt::format("{} {}", c, kOdd)}, {"", ""}},
                          .settings = "settings " + kOdd,
                          .group = "group " + kOdd});
  for (std::uint32_t i = 0; i < images; ++i)
    plan.images.push_back({.key = digest_of(fmt::format("image {}", i)),
                           .name = fmt::format("{} {}", i, kOdd),
                           .input = digest_of(fmt::format("input {}", i)),
                           .reference = digest_of(fmt::format("reference {}", i)),
                           .input_width = 10,
                           .input_height = 11,
                           .reference_width = 40,
                           .reference_height = 44,
                           .notes = {kOdd, "", "cut"},
                           .problem = {}});
  plan.metrics = {
      {.name = "psnr-y", .unit = "dB", .convention = kOdd, .version = 3, .border = 4, .decimals = 2},
      {.name = "lpips-alex", .unit = "", .convention = "", .higher_is_better = false, .version = 2},
      {.name = "ssim-y", .unit = "u", .convention = "c"}};
  for (std::uint32_t c = 0; c < cells; ++c)
    for (std::uint32_t i = 0; i < images; ++i) {
      TrialRow trial{.output = digest_of(fmt::format("output {} {}", c, i)), .cell = c, .image = i};
      trial.key = digest_of(fmt::format("trial {} {} {} {}", cells, images, c, i));
      trial.seed = 0xFFFFFFFFFFFFFFFF - c;
      trial.position = cells * images - 1 - static_cast<std::uint32_t>(plan.trials.size());
      plan.trials.push_back(trial);
    }
  plan.notes = {kOdd, "left out"};
  return plan;
}

Record example_record(const RunPlan& plan, const Claim& claim) {
  Record record{.trial = claim.trial, .output = claim.output, .token = claim.token};
  const auto number = [&](std::size_t i) { return claim.output.bytes[i] / 7.0; };
  record.flags = {"degenerate", kOdd};
  record.width = 40;
  record.height = 44;
  record.pixels = digest_of("pixels " + claim.output.hex());
  record.used = "used " + kOdd;
  record.kept_file = "ab/" + kOdd + ".png";
  record.peak_bytes = 1ull << 40;
  for (std::size_t m = 0; m < plan.metrics.size(); ++m) {
    const std::string& name = plan.metrics[m].name;
    record.scores.push_back({.key = digest_of("score " + name + claim.output.hex() + claim.image.hex()),
                             .output = claim.output,
                             .metric = name,
                             .value = number(m),
                             .flag = ValueFlag::ok,
                             .reason = {},
                             .seconds = number(m + 8)});
  }
  record.timings = {{.stage = "upscale", .clock = Clock::model, .sample = 0, .seconds = number(20)},
                    {.stage = "upscale", .clock = Clock::model, .sample = 1, .seconds = number(21)},
                    {.stage = "trial", .clock = Clock::sweep, .sample = 0, .seconds = number(22)}};
  record.boundaries = {{.stage = "upscale", .vertical = true, .position = 128.5, .half_width = 2},
                       {.stage = kOdd, .vertical = false, .position = number(23), .half_width = 0.25}};
  return record;
}

std::size_t work(Store& store, const RunPlan& plan, std::size_t most) {
  std::size_t done = 0;
  while (done < most) {
    const auto claims = store.claim(plan.run.key, "worker", 1);
    if (claims.empty()) break;
    store.append(example_record(plan, claims.front()));
    ++done;
  }
  store.flush();
  return done;
}

std::string show(const RunPlan& plan) {
  const RunRow& run = plan.run;
  std::string text = fmt::format("{} {} {} {} {} {} {}\n{} {}\n", run.key.hex(), run.name, run.spec,
                                 run.canonical_spec, run.exclusions, run.command, run.environment.hex(),
                                 plan.environment.key.hex(), plan.environment.json);
  for (const auto& cell : plan.cells) {
    text += fmt::format("cell {} {} {}", cell.key.hex(), cell.settings, cell.group);
    for (const auto& [path, value] : cell.label) text += fmt::format("({}={})", path, value);
  }
  for (const auto& i : plan.images)
    text += fmt::format("\nimage {} {} {} {} {} {} {} {} ({}) {}", i.key.hex(), i.name, i.input.hex(),
                        i.reference.hex(), i.input_width, i.input_height, i.reference_width,
                        i.reference_height, fmt::join(i.notes, "|"), i.problem);
  for (const auto& m : plan.metrics)
    text += fmt::format("\nmetric {} {} {} {} {} {} {}", m.name, m.unit, m.convention, m.higher_is_better,
                        m.version, m.border, m.decimals);
  return text + fmt::format("\nnotes ({})", fmt::join(plan.notes, "|"));
}

std::string show(const TrialResult& r) {
  std::string text = fmt::format(
      "cell {} image {} seed {} same_as {} {} {} [{}] ({}) {} {}x{} {} {} {} bytes", r.cell, r.image, r.seed,
      r.same_as, r.finished ? "finished" : "open", to_string(r.status), r.reason, fmt::join(r.flags, "|"),
      r.output.hex(), r.width, r.height, r.pixels.hex(), r.kept_file, r.peak_bytes);
  for (const auto& s : r.scores) text += fmt::format(" <{} {} {}>", s.value, to_string(s.flag), s.reason);
  return text + show(r.timings) + "\n";
}

std::string show_results(const Store& store, const Digest& run) {
  std::string text;
  store.for_each_trial(run, [&](const TrialResult& result) { text += show(result); });
  return text;
}

std::string dump_tables(const std::filesystem::path& file) {
  std::vector<std::string> tables;
  each_row(file, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'meta' ORDER BY name",
           [&](sqlite3_stmt* row) { tables.push_back(column(row, 0)); });
  std::string text;
  for (const auto& table : tables)
    each_row(file, "SELECT * FROM " + table + " ORDER BY 1, 2", [&](sqlite3_stmt* row) {
      text += table;
      for (int i = 0; i < sqlite3_column_count(row); ++i) text += "|" + column(row, i);
      text += '\n';
    });
  return text;
}

std::string integrity(const std::filesystem::path& file) {
  std::string text;
  each_row(file, "PRAGMA integrity_check", [&](sqlite3_stmt* row) { text += column(row, 0); });
  return text;
}

void run_sql(const std::filesystem::path& file, const std::string& sql) {
  each_row(file, sql, [](sqlite3_stmt*) {});
}

StoreError opening_error(const std::filesystem::path& file, Store::Access access) {
  try {
    Store store(file, access);
  } catch (const StoreError& error) {
    return error;
  }
  return {"it was opened", 0};
}

}  // namespace upbench::test
