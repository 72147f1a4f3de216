#pragma once

#include "harness/spec/yaml.h"

namespace upbench {

// The `images` part: fills spec.images and spec.scale.
void read_images(const YamlNode& node, Spec& spec);

// For `extends`: takes out of `base` what says where pictures come from, where `over` says it anew.
void drop_replaced_source(YamlNode& base, const YamlNode& over);

// As it goes into Spec::canonical(): paths relative to the spec where they lie below it.
nlohmann::json images_json(const Spec& spec);

}  // namespace upbench
