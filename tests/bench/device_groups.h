#pragma once

#include <filesystem>
#include <string>
#include <vector>

// The device benchmarks by what they are about. Each function adds those of one group.
namespace upbench::bench {

void add_pixels();    // our kernels beside ATen's operators, copies
void add_metrics();   // scoring, LPIPS
void add_layers();    // ways to compute parts of networks
void add_pipeline();  // pictures in tiles through whole networks

std::vector<std::string> network_names();
void add_network(const std::string& name);
void write_networks(const std::filesystem::path& folder);  // as checkpoints of random weights

}  // namespace upbench::bench
