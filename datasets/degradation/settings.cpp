#include "datasets/degradation/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/resample.h"
#include "datasets/resampling/kernels.h"

namespace upbench {
namespace {

constexpr std::array<std::pair<BlurKind, const char*>, 4> kBlurKinds{{{BlurKind::gaussian, "gaussian"},
                                                                      {BlurKind::generalised, "generalised"},
                                                                      {BlurKind::plateau, "plateau"},
                                                                      {BlurKind::sinc, "sinc"}}};

[[noreturn]] void refuse(std::string_view key, std::string_view value, std::string_view expected) {
  throw std::invalid_argument(fmt::format("degradation: {}: '{}': expected {}", key, value, expected));
}

// Numbers from `least` to `most`, both included.
struct Range {
  double least, most;
  bool whole = false;

  std::string text() const {
    return fmt::format("a {}number from {} to {}", whole ? "whole " : "", least, most);
  }
  bool holds(double value) const {
    return value >= least && value <= most && (!whole || value == std::floor(value));
  }
};

// A key that holds a number, and where that lives.
struct Number {
  const char* key;
  Range range;
  const char* description;
  double (*get)(const DegradeSettings&);  // only where the part it lies in is there
  void (*set)(DegradeSettings&, double);
};

BlurSettings& blur_of(DegradeSettings& settings) {
  return settings.blur ? *settings.blur : settings.blur.emplace();
}
NoiseSettings& noise_of(DegradeSettings& settings) {
  return settings.noise ? *settings.noise : settings.noise.emplace();
}

using Settings = DegradeSettings;
// sigma2: 0 stands for "as sigma".
const std::array kNumbers{
    Number{"scale",
           {1, 16},
           "how many times smaller the sides become (default 1)",
           [](const Settings& s) { return s.scale; },
           [](Settings& s, double v) { s.scale = v; }},
    Number{"blur.sigma",
           {0.01, 20},
           "standard deviation, pixels; not for sinc",
           [](const Settings& s) { return s.blur->sigma; },
           [](Settings& s, double v) { blur_of(s).sigma = v; }},
    Number{"blur.sigma2",
           {0.01, 20},
           "standard deviation across the angle, pixels (default: sigma)",
           [](const Settings& s) { return s.blur->sigma2; },
           [](Settings& s, double v) { blur_of(s).sigma2 = v; }},
    Number{"blur.angle",
           {-180, 180},
           "degrees from the rows to the axis of sigma (default 0)",
           [](const Settings& s) { return s.blur->angle; },
           [](Settings& s, double v) { blur_of(s).angle = v; }},
    Number{"blur.beta",
           {0.1, 16},
           "shape of generalised and plateau (default 1)",
           [](const Settings& s) { return s.blur->beta; },
           [](Settings& s, double v) { blur_of(s).beta = v; }},
    Number{"blur.cutoff",
           {0.01, 1},
           "sinc: share of the Nyquist frequency that passes",
           [](const Settings& s) { return s.blur->cutoff; },
           [](Settings& s, double v) { blur_of(s).cutoff = v; }},
    Number{"blur.size",
           {3, 101, true},
           "side of the kernel, pixels, odd (default 21)",
           [](const Settings& s) { return static_cast<double>(s.blur->size); },
           [](Settings& s, double v) { blur_of(s).size = static_cast<int>(v); }},
    Number{"noise.gaussian",
           {0, 255},
           "standard deviation, levels of 255 (default 0)",
           [](const Settings& s) { return s.noise->gaussian; },
           [](Settings& s, double v) { noise_of(s).gaussian = v; }},
    Number{"noise.poisson",
           {0, 100},
           "times the noise of counting photons (default 0)",
           [](const Settings& s) { return s.noise->poisson; },
           [](Settings& s, double v) { noise_of(s).poisson = v; }},
    Number{"jpeg",
           {1, 100, true},
           "encode and decode at this quality, 4:2:0 (default none)",
           [](const Settings& s) { return static_cast<double>(*s.jpeg); },
           [](Settings& s, double v) { s.jpeg = static_cast<int>(v); }},
    Number{"webp",
           {0, 100, true},
           "encode and decode lossily at this quality (default none)",
           [](const Settings& s) { return static_cast<double>(*s.webp); },
           [](Settings& s, double v) { s.webp = static_cast<int>(v); }},
    Number{"real-esrgan",
           {0, 1},
           "severity of the second-order chain of Real-ESRGAN; 1: as trained (default none)",
           [](const Settings& s) { return *s.real_esrgan; },
           [](Settings& s, double v) { s.real_esrgan = v; }},
};

const Number& number(std::string_view key) {
  return *std::ranges::find(kNumbers, key, [](const Number& n) { return std::string_view(n.key); });
}

// The value of `key` within its range, as it is written.
std::string checked(const DegradeSettings& settings, std::string_view key) {
  const Number& entry = number(key);
  const double value = entry.get(settings);
  if (!entry.range.holds(value)) refuse(key, fmt::format("{}", value), entry.range.text());
  return fmt::format("{}", value + 0.0);  // no -0
}

void set_number(DegradeSettings& settings, const Number& entry, const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !entry.range.holds(value))
    refuse(entry.key, text, entry.range.text());
  entry.set(settings, value);
}

BlurKind blur_kind(const std::string& text) {
  std::vector<std::string> known;
  for (const auto& [kind, name] : kBlurKinds) {
    if (name == text) return kind;
    known.push_back(name);
  }
  refuse("blur.kind", text, fmt::format("one of {}", fmt::join(known, ", ")));
}

// True for one that is a word.
bool set_word(DegradeSettings& settings, const std::string& key, const std::string& text) {
  if (key == "kernel") {
    if (text != "random") require_kernel(text);
    settings.kernel = text;
  } else if (key == "blur.kind") {
    blur_of(settings).kind = blur_kind(text);
  } else if (key == "noise.grey") {
    if (text != "true" && text != "false") refuse(key, text, "true or false");
    noise_of(settings).grey = text == "true";
  } else {
    return false;
  }
  return true;
}

void add_blur(DegradeText& text, const DegradeSettings& settings) {
  const BlurSettings& blur = *settings.blur;
  const auto add = [&](const char* key) { text.emplace_back(key, checked(settings, key)); };
  text.emplace_back("blur.kind", to_string(blur.kind));
  if (blur.kind == BlurKind::sinc) {
    add("blur.cutoff");
  } else {
    add("blur.sigma");
    if (blur.sigma2 != 0 && blur.sigma2 != blur.sigma) {
      add("blur.sigma2");
      add("blur.angle");
    }
    if (blur.kind != BlurKind::gaussian) add("blur.beta");
  }
  add("blur.size");
  if (blur.size % 2 == 0) refuse("blur.size", fmt::format("{}", blur.size), "an odd number");
}

void add_noise(DegradeText& text, const DegradeSettings& settings) {
  const auto add = [&](const char* key) {
    if (std::string value = checked(settings, key); value != "0") text.emplace_back(key, std::move(value));
  };
  const std::size_t before = text.size();
  add("noise.poisson");
  add("noise.gaussian");
  if (text.size() > before) text.emplace_back("noise.grey", settings.noise->grey ? "true" : "false");
}

}  // namespace

std::string to_string(BlurKind kind) {
  return std::ranges::find(kBlurKinds, kind, [](const auto& entry) { return entry.first; })->second;
}

DegradeSettings parse_degradation(const DegradeText& keys) {
  DegradeSettings settings;
  std::set<std::string> seen;
  for (const auto& [key, text] : keys) {
    if (!seen.insert(key).second)
      throw std::invalid_argument(fmt::format("degradation: {} is given twice", key));
    const auto entry = std::ranges::find(kNumbers, key, [](const Number& n) { return std::string(n.key); });
    if (entry != kNumbers.end()) {
      set_number(settings, *entry, text);
    } else if (!set_word(settings, key, text)) {
      std::vector<std::string> known;
      for (const DegradationKey& name : degradation_keys()) known.push_back(name.name);
      throw std::invalid_argument(
          fmt::format("degradation: unknown key '{}'; known: {}", key, fmt::join(known, ", ")));
    }
  }
  if (settings.real_esrgan && seen.contains("kernel"))
    throw std::invalid_argument("degradation: kernel has no effect with real-esrgan, which draws its own");
  if (settings.blur && settings.blur->kind != BlurKind::sinc && !seen.contains("blur.sigma"))
    throw std::invalid_argument("degradation: blur needs blur.sigma");
  if (settings.blur && settings.blur->kind == BlurKind::sinc && !seen.contains("blur.cutoff"))
    throw std::invalid_argument("degradation: a sinc blur needs blur.cutoff");
  canonical_degradation(settings);  // for what it refuses
  return settings;
}

DegradeText canonical_degradation(const DegradeSettings& settings) {
  DegradeText text;
  const auto add = [&](const char* key) { text.emplace_back(key, checked(settings, key)); };
  if (settings.real_esrgan && (settings.blur || settings.noise || settings.jpeg || settings.webp))
    throw std::invalid_argument(
        "degradation: real-esrgan is a whole chain of its own; expected no blur, noise, jpeg or webp beside "
        "it");
  if (settings.blur) add_blur(text, settings);
  if (checked(settings, "scale") != "1") {
    add("scale");
    if (!settings.real_esrgan) {
      if (settings.kernel != "random") require_kernel(settings.kernel);
      text.emplace_back("kernel", settings.kernel);
    }
  }
  if (settings.noise) add_noise(text, settings);
  if (settings.jpeg) add("jpeg");
  if (settings.webp) add("webp");
  if (settings.real_esrgan) add("real-esrgan");
  return text;
}

DegradedSize degraded_size(const DegradeSettings& settings, int height, int width) {
  const auto side = [&](int length) {
    return std::max(1, static_cast<int>(std::floor(length / settings.scale + 0.5)));
  };
  return {side(height), side(width)};
}

const std::vector<DegradationKey>& degradation_keys() {
  static const std::vector<DegradationKey> keys = [] {
    std::vector<DegradationKey> list;
    for (const Number& entry : kNumbers)
      list.push_back({.name = entry.key,
                      .description = fmt::format("{}; {}", entry.range.text(), entry.description),
                      .least = entry.range.least,
                      .most = entry.range.most,
                      .whole = entry.range.whole,
                      .words = {}});
    const auto add_words = [&](const char* name, const char* description, std::vector<std::string> words) {
      list.push_back({.name = name, .description = description, .words = std::move(words)});
    };
    std::vector<std::string> kernels, blurs;
    for (const ResampleKernel& kernel : resample_kernels()) kernels.push_back(kernel.name);
    kernels.emplace_back("random");
    for (const auto& [kind, name] : kBlurKinds) blurs.emplace_back(name);
    add_words("kernel",
              "what shrinks it: one of `upbench list kernels`, or random (area, bilinear, bicubic); default "
              "matlab-bicubic",
              std::move(kernels));
    add_words("blur.kind", "gaussian (default), generalised, plateau, sinc", std::move(blurs));
    add_words("noise.grey", "true: the same noise in all channels; default false", {"false", "true"});
    return list;
  }();
  return keys;
}

}  // namespace upbench
