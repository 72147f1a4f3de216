#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "harness/store.h"

// Plans and records made of nothing but their numbers, and stores as text, to compare them whole.
namespace upbench::test {

Digest digest_of(const std::string& text);

// `cells` x `images` trials in report order, executed in the reverse order; three metrics. Every text field
// has bytes that trip a careless store: quotes, newlines, backslashes, NUL, invalid UTF-8.
RunPlan example_plan(std::uint32_t cells, std::uint32_t images);

// Every field filled; the same for the same claim, whenever and by whomever it is executed.
Record example_record(const RunPlan& plan, const Claim& claim);

// Claims and finishes up to `most` trials of the run.
std::size_t work(Store& store, const RunPlan& plan, std::size_t most);

std::string show(const RunPlan& plan);  // without trials and time stamps
std::string show(const TrialResult& result);
std::string show_results(const Store& store, const Digest& run);

// Every row of every table but `meta`, in key order.
std::string dump_tables(const std::filesystem::path& file);
std::string integrity(const std::filesystem::path& file);  // "ok" or what is wrong
void run_sql(const std::filesystem::path& file, const std::string& sql);

// The StoreError that opening gives.
StoreError opening_error(const std::filesystem::path& file, Store::Access access = Store::Access::write);

}  // namespace upbench::test
