#include "harness/store/detections.h"

#include <cmath>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/store/model_time.h"
#include "harness/store/store_impl.h"

namespace upbench {
namespace {

std::string calibration_name(const std::string& version) {
  return "calibration " + version;
}

std::string encode(const std::vector<DetectionRow::Box>& boxes) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& box : boxes) list.push_back({box.x, box.y, box.width, box.height, box.value});
  return list.dump();
}

std::string encode(const std::vector<DetectionRow::Part>& parts) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& part : parts) list.push_back({part.name, part.unit, part.value});
  return list.dump();
}

void decode_boxes(DetectionRow& row, const std::string& boxes) {
  for (const auto& box : nlohmann::json::parse(boxes))
    row.boxes.push_back({.x = box.at(0).get<int>(),
                         .y = box.at(1).get<int>(),
                         .width = box.at(2).get<int>(),
                         .height = box.at(3).get<int>(),
                         .value = box.at(4).get<double>()});
}

void decode_parts(DetectionRow& row, const std::string& parts) {
  for (const auto& part : nlohmann::json::parse(parts))
    row.parts.push_back({.name = part.at(0).get<std::string>(),
                         .unit = part.at(1).get<std::string>(),
                         .value = part.at(2).get<double>()});
}

}  // namespace

void create_detections(Database& database) {
  database.execute(
      "CREATE TABLE detections("
      "  output BLOB, key BLOB, detector TEXT NOT NULL, threshold REAL NOT NULL, flagged INTEGER NOT NULL,"
      "  gates INTEGER NOT NULL, calibration TEXT NOT NULL, map_file TEXT NOT NULL, map_white REAL NOT NULL,"
      "  boxes TEXT NOT NULL, parts TEXT NOT NULL,"  // JSON: [x, y, width, height, value], [name, unit,
                                                     // value]
      "  PRIMARY KEY(output, key)) STRICT, WITHOUT ROWID");
}

void require_finite(const DetectionRow& detection) {
  bool finite = std::isfinite(detection.threshold) && std::isfinite(detection.map_white);
  for (const auto& box : detection.boxes) finite = finite && std::isfinite(box.value);
  for (const auto& part : detection.parts) finite = finite && std::isfinite(part.value);
  if (!finite)
    throw std::invalid_argument(
        fmt::format("detection of '{}' holds a number that is not finite", detection.detector));
}

void write_detections(Database& database, const Digest& output, const std::vector<DetectionRow>& detections) {
  for (const DetectionRow& row : detections)
    database.run("INSERT OR REPLACE INTO detections VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", output, row.key,
                 row.detector, row.threshold, row.flagged, row.gates, row.calibration, row.map_file,
                 row.map_white, encode(row.boxes), encode(row.parts));
}

bool has_detections(Database& database) {
  return database.integer("SELECT EXISTS(SELECT 1 FROM main.sqlite_master WHERE name = 'detections')") != 0;
}

DetectionRow detection_row(Database& database, const Rows& rows, int first, bool in_full) {
  DetectionRow row{.key = rows.digest(first),
                   .detector = rows.text(first + 1),
                   .threshold = rows.real(first + 2),
                   .flagged = rows.integer(first + 3) != 0,
                   .gates = rows.integer(first + 4) != 0,
                   .calibration = rows.text(first + 5),
                   .map_file = rows.text(first + 6),
                   .map_white = rows.real(first + 7)};
  try {
    if (in_full || row.flagged) decode_boxes(row, rows.text(first + 8));
    if (in_full) decode_parts(row, rows.text(first + 9));
  } catch (const nlohmann::json::exception& error) {
    throw damaged_store(database.name(), error.what());
  }
  return row;
}

std::vector<DetectionRow> read_detections(Database& database, const Digest& output) {
  std::vector<DetectionRow> detections;
  if (!has_detections(database)) return detections;
  Rows rows = database.query(
      fmt::format("SELECT {} FROM detections WHERE output = ? ORDER BY detector, key", kDetectionColumns),
      output);
  while (rows.next()) detections.push_back(detection_row(database, rows, 0, true));
  return detections;
}

void add_detections(Database& database) {
  if (!database.integer("SELECT EXISTS(SELECT 1 FROM other.sqlite_master WHERE name = 'detections')")) return;
  database.run("INSERT OR IGNORE INTO main.detections SELECT * FROM other.detections");
  database.run("INSERT OR IGNORE INTO main.meta SELECT * FROM other.meta WHERE name GLOB 'calibration *'");
}

std::vector<DetectionRow> Store::detections(const Digest& output) const {
  const std::lock_guard guard(impl_->read_mutex);
  return read_detections(*impl_->read, output);
}

std::string Store::calibration(const std::string& version) const {
  const std::lock_guard guard(impl_->read_mutex);
  return read_meta(*impl_->read, calibration_name(version));
}

void Store::set_calibration(const std::string& version, const std::string& file) {
  impl_->write_now([&](Database& database) {
    return database.run("INSERT OR REPLACE INTO meta VALUES(?, ?)", calibration_name(version), file);
  });
}

}  // namespace upbench
