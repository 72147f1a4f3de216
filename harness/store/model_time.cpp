#include "harness/store/model_time.h"

#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/store/store_impl.h"

namespace upbench {
namespace {

std::string session_name(const Digest& key) {
  return "timing-session " + key.hex();
}

}  // namespace

std::string model_time_name(const Digest& output) {
  return "model-time " + output.hex();
}

std::string read_meta(Database& database, const std::string& name) {
  return database.text("SELECT value FROM meta WHERE name = ?", name);
}

void add_model_times(Database& database) {
  database.run(
      "INSERT OR REPLACE INTO main.meta SELECT DISTINCT m.name, m.value FROM other.timings AS o"
      " JOIN other.meta AS m ON m.name = 'model-time ' || lower(hex(o.output)) WHERE o.clock = 'model'"
      " AND NOT EXISTS (SELECT 1 FROM main.timings AS h WHERE h.output = o.output AND h.clock = 'model')");
  database.run("INSERT OR IGNORE INTO main.meta SELECT * FROM other.meta WHERE name GLOB 'timing-session *'");
}

void Store::set_model_time(const ModelTimeRow& measured) {
  for (const TimingRow& timing : measured.timings)
    if (timing.clock != Clock::model || !std::isfinite(timing.seconds))
      throw std::invalid_argument(fmt::format("model time of output {}: '{}' of clock {} is {} s",
                                              measured.output.short_hex(), timing.stage,
                                              to_string(timing.clock), timing.seconds));
  impl_->write_now([&](Database& database) {
    if (!database.integer("SELECT EXISTS(SELECT 1 FROM outputs WHERE output = ?)", measured.output))
      throw std::invalid_argument(
          fmt::format("model time of output {}, which is not finished", measured.output.short_hex()));
    database.run("DELETE FROM timings WHERE output = ? AND clock = 'model'", measured.output);
    for (const TimingRow& timing : measured.timings)
      database.run("INSERT INTO timings VALUES(?, 'model', ?, ?, ?)", measured.output, timing.stage,
                   timing.sample, timing.seconds);
    if (measured.peak_bytes > 0)
      database.run("UPDATE outputs SET peak_bytes = ? WHERE output = ?", measured.peak_bytes,
                   measured.output);
    return database.run("INSERT OR REPLACE INTO meta VALUES(?, ?)", model_time_name(measured.output),
                        measured.facts);
  });
}

void Store::set_timing_session(const Digest& key, const std::string& facts) {
  impl_->write_now([&](Database& database) {
    return database.run("INSERT OR REPLACE INTO meta VALUES(?, ?)", session_name(key), facts);
  });
}

std::string Store::model_time(const Digest& output) const {
  const std::lock_guard guard(impl_->read_mutex);
  return read_meta(*impl_->read, model_time_name(output));
}

std::string Store::timing_session(const Digest& session) const {
  const std::lock_guard guard(impl_->read_mutex);
  return read_meta(*impl_->read, session_name(session));
}

}  // namespace upbench
