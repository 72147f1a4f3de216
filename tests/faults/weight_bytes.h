#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/models/checkpoint/torch_bytes.h"

// The broken and the hostile files of rows 41 to 79, beyond what torch_bytes.h builds.
namespace upbench::test {

// safetensors of one tensor w, of two tensors a and b of two floats; parts as they stand in the header.
std::string one_tensor(const std::string& dtype, const std::string& shape, const std::string& offsets,
                       std::size_t buffer);
std::string two_tensors(const std::string& first, const std::string& second, std::size_t buffer);

// A zip checkpoint whose pickle is this value, with a storage of six floats; the parts of a sound one.
std::string torch_zip_of(const std::string& value);
std::vector<ZipPart> sound_parts();

// Pickled values: all six floats; {params_ema: {w}, params: {w}}; a torch.nn.Module with this parameter and
// this module (name, value; may be empty), put in the memo by `memo`.
std::string six_floats_tensor();
std::string nested_state_dict();
std::string module(const std::string& type, const std::vector<std::string>& parameter,
                   const std::vector<std::string>& child, const std::string& memo = "");

std::string many_references();  // a whole pickle
std::string big_endian_legacy();

// What hostile checkpoints do to run something when they are unpickled, each by another way.
// What they would run leaves a file of this name in the working folder.
inline constexpr char kTrace[] = "upbench-was-here";
std::string hostile_command();  // "touch upbench-was-here"

// Pickled value: what module.name gives for this argument.
std::string calling(const std::string& module, const std::string& name, const std::string& argument);
std::string calling(const std::string& module, const std::string& name);  // for hostile_command()

struct HostilePickle {
  int row = 0;
  std::string name;
  std::string input;
  std::function<std::string()> bytes;  // a whole file
  std::string message;
};
std::vector<HostilePickle> hostile_pickles();

}  // namespace upbench::test
