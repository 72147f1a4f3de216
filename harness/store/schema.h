#pragma once

#include <filesystem>

#include "harness/store/sqlite.h"

namespace upbench {

// 2: detections; 3: trials.attempt counts lost devices, before it counted claims.
inline constexpr int kSchemaVersion = 3;

// Appears under its name only when complete, so that a crash leaves no half store. The caller holds the
// writer lock.
void create_store(const std::filesystem::path& file);

// Refuses a store of a newer schema, naming both versions.
void require_known_schema(Database& database);

// Brings the tables of an older schema up to this one, all at once or not at all. Older programs then refuse
// the store.
void migrate(Database& database);

// Every connection: nothing in the file may run code or be trusted to be well formed.
void configure_reader(Database& database);

// WAL with synchronous=FULL: a commit that returned survives power loss. Fails here rather than at the first
// record where the file cannot be written. `most_pages`: limit in pages of 4 KiB; 0: none.
void configure_writer(Database& database, std::uint32_t most_pages);

// Throws StoreError 2 naming what is wrong. Reads the whole file: above 200 MB (about a second) it is not
// asked.
void require_intact(Database& database, const std::filesystem::path& file);

}  // namespace upbench
