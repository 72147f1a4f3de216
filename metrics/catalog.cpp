#include "metrics/catalog.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "datasets/edit_distance.h"
#include "metrics/artifacts/as_metric.h"
#include "metrics/artifacts/catalog.h"
#include "metrics/entries.h"

namespace upbench {
namespace {

constexpr int kLargestBorder = 1000;

[[noreturn]] void refuse_unknown(std::string_view name) {
  const std::string lower_case = to_lower(name);
  std::string known, suggestion;
  std::size_t nearest = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const Metric& metric : metrics()) {
    known += metric.name + ", ";
    const bool begins = !name.empty() && metric.name.starts_with(lower_case);
    const std::size_t distance = begins ? 0 : edit_distance(lower_case, metric.name);
    if (distance >= nearest) continue;
    nearest = distance;
    suggestion = fmt::format("did you mean '{}'? ", metric.name);
  }
  throw std::invalid_argument(fmt::format("unknown metric '{}'; {}known: {}{} (every detector)", name,
                                          suggestion, known, kAllDetectors));
}

// The N of "bN".
std::optional<int> border_option(std::string_view option) {
  int border = 0;
  if (!option.starts_with('b')) return std::nullopt;
  const auto [end, error] = std::from_chars(option.data() + 1, option.data() + option.size(), border);
  const bool whole = error == std::errc{} && end == option.data() + option.size();
  return whole && border >= 0 && border <= kLargestBorder ? std::optional(border) : std::nullopt;
}

void apply_option(MetricRequest& request, std::string_view option, std::string_view text) {
  const auto border = border_option(option);
  if (!border && option != "float")
    throw std::invalid_argument(
        fmt::format("metric '{}': unknown option '@{}'; known: @bN (cut N pixels at each side, 0..{}), "
                    "@float (score the unrounded picture)",
                    text, option, kLargestBorder));
  const bool repeated = border ? request.border >= 0 : !request.quantize;
  if (repeated)
    throw std::invalid_argument(
        fmt::format("metric '{}': option '@{}' after another of its kind", text, option));
  if (border)
    request.border = *border;
  else
    request.quantize = false;
}

std::vector<Metric> with_detectors(std::vector<Metric> metrics) {
  for (const Detector& detector : detectors()) metrics.push_back(metric_of(detector));
  return metrics;
}

}  // namespace

const std::vector<Metric>& metrics() {
  static const std::vector<Metric> all =
      with_detectors({mse(), psnr_rgb(), psnr_y(), ssim_rgb(), ssim_y(), lpips_alex(), lpips_squeeze(),
                      lr_psnr_x2(), lr_psnr_x3(), lr_psnr_x4(), erqa(), ciede2000(), shift(), cambi()});
  return all;
}

MetricRequest parse_metric(std::string_view text) {
  const std::string_view name = text.substr(0, text.find('@'));
  const auto metric = std::ranges::find(metrics(), name, &Metric::name);
  if (metric == metrics().end()) refuse_unknown(name);

  MetricRequest request{.name = metric->name, .metric = &*metric};
  for (std::size_t at = name.size(); at < text.size();) {
    const std::size_t end = std::min(text.find('@', at + 1), text.size());
    apply_option(request, text.substr(at + 1, end - at - 1), text);
    at = end;
  }
  if (metric->detector != nullptr && (request.border >= 0 || !request.quantize))
    throw std::invalid_argument(
        fmt::format("metric '{}': artifact detectors see the whole picture as it is saved; expected no "
                    "option",
                    text));
  if (request.border >= 0) request.name += fmt::format("@b{}", request.border);
  if (!request.quantize) request.name += "@float";
  return request;
}

std::vector<MetricRequest> parse_metrics(const std::vector<std::string>& texts) {
  std::vector<MetricRequest> requests;
  const auto named = [&](const std::string& name) {
    return std::ranges::find(requests, name, &MetricRequest::name) != requests.end();
  };
  std::size_t groups = 0;
  for (const std::string& text : texts) {
    MetricRequest request;
    if (text == kAllDetectors)
      ++groups;
    else
      request = parse_metric(text);
    if (groups > 1 || named(request.name))
      throw std::invalid_argument(
          fmt::format("metric '{}' is named twice", request.name.empty() ? text : request.name));
    if (!request.name.empty()) requests.push_back(std::move(request));
  }
  if (groups > 0)
    for (const Detector& detector : detectors())
      if (!named(detector.name)) requests.push_back(parse_metric(detector.name));
  return requests;
}

}  // namespace upbench
