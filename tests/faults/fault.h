#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

// What goes in, and what the program must do with it: one list for the tests (faults_test.cpp) and for the
// page docs/faults.md. To add a kind of input, write a file like weights.cpp and name its tables here and in
// fault_tables().
namespace upbench::test {

struct Fault {
  int row = 0;        // faults that belong together have one number
  std::string name;   // of the test: "Row56_" + name
  std::string input;  // for people, one phrase
  std::function<void(const std::filesystem::path& folder)> make;  // writes the same files every time
  std::vector<std::string> command;                               // arguments of upbench, run in that folder
  int exit_code = 2;
  std::string message;                        // what the program prints holds it, on either stream
  std::vector<std::string> environment = {};  // "NAME=VALUE", beside the test's own
  // What takes no file but a device or a network that misbehaves, or a file that changes: the test that makes
  // one, "Suite.Name". It has no command. The outcome of device_faults() is compared by expect_as_listed()
  // (listed.h), of the others by the test itself.
  std::string test = {};
};

struct FaultTable {
  std::string title;
  std::string introduction;
  std::vector<Fault> faults;
};

std::string test_name(const Fault& fault);            // "Row56_OsSystem"
void PrintTo(const Fault& fault, std::ostream* out);  // for GoogleTest: its input

// Files of weights, each looked at by `upbench inspect` unless it says otherwise.
FaultTable weight_faults();

// Files of weights that make no network (row 73), each given to `upbench upscale`.
FaultTable network_faults();

// Weights that are edited while a sweep is planned, run and run again (row 75): each one a test.
FaultTable changed_weights();
// The one of them that this test makes.
Fault changed_weights_of(const std::string& test);

// Specs, each looked at by `upbench plan`.
FaultTable spec_faults();

// Whole sets and their names, each with a `spec.yaml` that is run.
FaultTable set_faults();

// Names of files and models, and texts within pictures: what the program says of them.
FaultTable name_faults();

// Numbers that are none, devices that are not there, tiles that cannot be.
FaultTable numeric_faults();

// Devices that fail and networks that misbehave: each one a test.
FaultTable device_faults();

// All of them, in the order of the page.
std::vector<FaultTable> fault_tables();

}  // namespace upbench::test
