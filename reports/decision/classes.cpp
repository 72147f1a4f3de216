#include "reports/decision/classes.h"

#include <algorithm>
#include <string_view>

#include <nlohmann/json.hpp>

namespace upbench {
namespace {

constexpr std::string_view kClassNote = "class: ";

bool is_procedural(const RunData& data) {
  const nlohmann::json spec = nlohmann::json::parse(data.plan.run.canonical_spec, nullptr, false);
  const nlohmann::json::json_pointer at("/images/procedural");
  return spec.is_object() && spec.contains(at) && spec[at].is_object();
}

// "dead-leaves-003" -> "dead-leaves"; empty for another name.
std::string drawn_class(const std::string& name) {
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  return digits < name.size() && digits > 1 && name[digits - 1] == '-' ? name.substr(0, digits - 1) : "";
}

void add(PictureClasses& classes, const std::string& name, std::uint32_t picture) {
  const auto found = std::ranges::find(classes.names, name);
  const auto index = static_cast<std::size_t>(found - classes.names.begin());
  if (found == classes.names.end()) {
    classes.names.push_back(name);
    classes.pictures.emplace_back();
  }
  auto& pictures = classes.pictures[index];
  if (pictures.empty() || pictures.back() != picture) pictures.push_back(picture);
}

}  // namespace

bool is_class_note(const std::string& note) {
  return note.starts_with(kClassNote) && note.size() > kClassNote.size();
}

PictureClasses find_classes(const RunData& data) {
  PictureClasses classes;
  const bool procedural = is_procedural(data);
  for (std::uint32_t i = 0; i < data.plan.images.size(); ++i) {
    const ImageRow& image = data.plan.images[i];
    for (const std::string& note : image.notes)
      if (is_class_note(note)) add(classes, note.substr(kClassNote.size()), i);
    if (const std::string name = procedural ? drawn_class(image.name) : ""; !name.empty())
      add(classes, name, i);
  }
  return classes;
}

}  // namespace upbench
