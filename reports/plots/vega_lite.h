#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "harness/record.h"

// Pieces of Vega-Lite specifications that all plots share.
namespace upbench::vega_lite {

// Okabe and Ito, Color Universal Design (2008): told apart with every common colour blindness. Its black and
// yellow are left out, as they vanish on a dark or white page. Seven colours and six shapes: the pairs repeat
// after 42.
inline constexpr const char* kColours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                           "#E69F00", "#56B4E9", "#8C8C8C"};
inline constexpr const char* kShapes[] = {"circle",  "square",        "triangle-up",
                                          "diamond", "triangle-down", "cross"};
inline constexpr std::size_t kMostGroups = 42;
inline constexpr const char *kBlue = kColours[0], *kRed = kColours[1], *kSky = kColours[5],
                            *kGrey = kColours[6], *kGreen = kColours[2];

// The outside of a plot, with its data inline.
nlohmann::json frame(const std::string& title, const std::string& subtitle, nlohmann::json rows);
nlohmann::json quantitative(const char* field, const std::string& title);
// Names in the given order; Vega-Lite would sort them.
nlohmann::json nominal(const char* field, nlohmann::json order, const std::string& title);
// Values from `least` to `most` (> 0) on a logarithmic axis.
nlohmann::json logarithmic(const char* field, const std::string& title, double least, double most);
// Names of `domain` told apart by colour, and by shape: both together hold for readers of either.
nlohmann::json coloured(const char* field, const std::string& title, nlohmann::json domain);
nlohmann::json shaped(const char* field, const std::string& title, nlohmann::json domain);
// Field and what the reader sees it called.
nlohmann::json tooltip(std::initializer_list<std::pair<const char*, const char*>> fields);

std::string axis_title(const MetricRow& metric);           // "psnr-y [dB], higher is better"
std::string shown(const MetricRow& metric, double value);  // "32.73 dB"
std::string file_name(const std::string& text);            // a-z, 0-9, '-', '_'; at most 80

}  // namespace upbench::vega_lite
