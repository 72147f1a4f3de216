#pragma once

#include "harness/spec/yaml.h"

namespace upbench {

// The `images` part: fills spec.images and spec.scale.
void read_images(const YamlNode& node, Spec& spec);

// As it goes into Spec::canonical(): paths relative to the spec where they lie below it.
nlohmann::json images_json(const Spec& spec);

}  // namespace upbench
