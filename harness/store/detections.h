#pragma once

#include <vector>

#include "harness/record.h"
#include "harness/store/sqlite.h"

// The findings of artifact detectors: one row a score of a detector. Stores of schema 1 have none.
namespace upbench {

// Creates the table; the caller's transaction.
void create_detections(Database& database);

// Throws std::invalid_argument where a number is none.
void require_finite(const DetectionRow& detection);

// What is new replaces what was found before under the same key.
void write_detections(Database& database, const Digest& output, const std::vector<DetectionRow>& detections);

bool has_detections(Database& database);
// By detector; nothing where the store has no such table.
std::vector<DetectionRow> read_detections(Database& database, const Digest& output);

// The columns kDetectionColumns of a row; parts and the boxes of what is not flagged on request.
inline constexpr const char* kDetectionColumns =
    "key, detector, threshold, flagged, gates, calibration, map_file, map_white, boxes, parts";
DetectionRow detection_row(Database& database, const Rows& rows, int first_column, bool in_full);

// While `other` is attached: rows that are new here, and the calibrations that they name.
void add_detections(Database& database);

}  // namespace upbench
