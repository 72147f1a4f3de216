#pragma once

#include <cstdint>
#include <string>

#include "harness/store/queue.h"
#include "harness/store/sqlite.h"

// The rows of one lease, one record, one release. Each runs inside a transaction of the caller.
namespace upbench {

// A record that may be written: throws std::invalid_argument where it contradicts its trial; a NaN score
// becomes a failed one.
void normalise(Record& record, const Lease& lease);

// `until`: as Database::now().
void write_lease(Database& database, const Lease& lease, std::int64_t until);
void renew_lease(Database& database, const Lease& lease, std::int64_t until);
void write_release(Database& database, const Lease& lease);
// A release that uses up an attempt.
void write_lost_attempt(Database& database, const Lease& lease, const std::string& reason);

// Returns how many trials are finished by it (the trial and those that repeat it); 0: the lease is not valid,
// nothing was written.
std::uint64_t write_record(Database& database, const Lease& lease, const Record& record);

}  // namespace upbench
