#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>

#include "tests/support/assets.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

using ::testing::HasSubstr;

constexpr char kSmallSpec[] = R"(name: small
images:
  procedural: {count: 3, size: 64, seed: 5}
  lr: {scale: 2, kernel: matlab-bicubic}
pipeline:
  - upscale: {model: [nearest, lanczos]}
metrics: [psnr-y]
timing: none
)";

class ExitCodes : public ::testing::Test {
 protected:
  std::string spec(const std::string& text, const std::string& name = "spec.yaml") {
    write_text((folder_ / name).string(), text);
    return (folder_ / name).string();
  }
  std::string at(const std::string& name) { return (folder_ / name).string(); }
  ProgramResult run(std::vector<std::string> arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }

  TemporaryFolder folder_;
};

TEST_F(ExitCodes, HelpAndVersionAreOk) {
  EXPECT_EQ(run({"--help"}).exit_code, 0);
  EXPECT_THAT(run({"--version"}).out, HasSubstr("upbench 0."));
  for (const char* command :
       {"run", "plan", "report", "score", "upscale", "inspect", "list", "doctor", "status"}) {
    const ProgramResult result = run({command, "--help"});
    EXPECT_EQ(result.exit_code, 0) << command;
    EXPECT_THAT(result.out, HasSubstr("Example")) << command;
  }
}

TEST_F(ExitCodes, AFinishedRunIsOk) {
  const ProgramResult result = run({"run", spec(kSmallSpec)});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("6 trials: 6 ok, 0 failed, 0 skipped; 6 run now"));
  EXPECT_TRUE(std::filesystem::exists(at("small.db")));
}

struct WrongRequest {
  const char* what;
  std::vector<std::string> arguments;  // SPEC stands for a file that holds `spec`
  const char* spec;
  const char* message;
};

class WrongRequests : public ExitCodes, public ::testing::WithParamInterface<WrongRequest> {};

TEST_P(WrongRequests, ExitWithTwoAndSayWhatIsWrong) {
  const WrongRequest& request = GetParam();
  std::vector<std::string> arguments = request.arguments;
  for (std::string& argument : arguments)
    if (argument == "SPEC") argument = spec(request.spec);
  write_text(at("text.pth"), "this is no checkpoint");
  const ProgramResult result = run(arguments);
  EXPECT_EQ(result.exit_code, 2) << result.out << result.err;
  EXPECT_THAT(result.err, HasSubstr("upbench: "));
  EXPECT_THAT(result.err, HasSubstr(request.message));
  EXPECT_FALSE(std::filesystem::exists(at("small.db"))) << "refused before any work";
}

const WrongRequest kWrongRequests[] = {
    {"no command", {}, "", "subcommand"},
    {"unknown command", {"frobnicate"}, "", "subcommand"},
    {"unknown option", {"run", "SPEC", "--fast-please"}, kSmallSpec, "--fast-please"},
    {"missing spec", {"run", "absent.yaml"}, "", "absent.yaml"},
    {"spec that is no YAML", {"run", "SPEC"}, "name: [", "spec.yaml:1"},
    {"unknown key", {"run", "SPEC"}, "name: small\npictures: {}\n", "spec.yaml:2:1"},
    {"unknown metric", {"run", "SPEC", "--set", "metrics=psnrr"}, kSmallSpec, "psnrr"},
    {"unknown model", {"run", "SPEC", "--set", "upscale.model=lanzcos"}, kSmallSpec, "lanczos"},
    {"file that is no checkpoint",
     {"run", "SPEC", "--set", "upscale.model=text.pth"},
     kSmallSpec,
     "text.pth"},
    {"missing folder",
     {"run", "SPEC", "--set", "images={path: nowhere, lr: {scale: 2}}"},
     kSmallSpec,
     "nowhere"},
    {"override of nothing", {"run", "SPEC", "--set", "colour=red"}, kSmallSpec, "colour"},
    {"device that is none", {"run", "SPEC", "--device", "tpu"}, kSmallSpec, "tpu"},
    {"report of no store", {"report", "absent.db"}, "", "absent.db"},
    {"status of no store", {"status", "absent.db"}, "", "absent.db"},
    {"report of a text file", {"report", "text.pth"}, "", "text.pth"},
    {"inspect of a text file", {"inspect", "text.pth"}, "", "text.pth"},
    {"upscale by nothing", {"upscale", "a.png", "--model", "absent.pth"}, "", "absent.pth"},
};

INSTANTIATE_TEST_SUITE_P(Table, WrongRequests, ::testing::ValuesIn(kWrongRequests), [](const auto& test) {
  std::string name = test.param.what;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
});

TEST_F(ExitCodes, AnUnreadablePictureFailsItsTrialsOnly) {
  std::filesystem::create_directory(folder_ / "pictures");
  const std::string good = at("pictures") + "/good.png";
  ASSERT_EQ(run({"run", spec(kSmallSpec), "--set", "images.procedural.count=1", "--set",
                 "images.procedural.size=64", "--keep-outputs", "all"})
                .exit_code,
            0);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path()))
    if (entry.path().extension() == ".png")
      std::filesystem::copy_file(entry.path(), good, std::filesystem::copy_options::overwrite_existing);
  const std::string bytes = read_text(good);
  write_text(at("pictures") + "/cut.png", bytes.substr(0, bytes.size() / 2));
  write_text(at("pictures") + "/empty.png", "");
  const ProgramResult result = run(
      {"run", spec(kSmallSpec), "--set", "images={path: pictures, lr: {scale: 2}}", "--set", "name=broken"});
  EXPECT_EQ(result.exit_code, 3) << result.err;
  const ProgramResult csv = run({"report", "broken.db", "--csv", "-"});
  EXPECT_THAT(csv.out, HasSubstr("cut.png"));
  EXPECT_THAT(csv.out, HasSubstr("truncated"));
  EXPECT_THAT(csv.out, HasSubstr("empty file"));
  EXPECT_THAT(result.out, HasSubstr("6 trials: 2 ok, 4 failed"));
}

TEST_F(ExitCodes, AnAbsentGpuIsTheEnvironmentsFault) {
  if (run({"doctor"}).out.find("ok     GPU") != std::string::npos) GTEST_SKIP() << "this machine has a GPU";
  const ProgramResult result = run({"run", spec(kSmallSpec), "--device", "cuda:0"});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, HasSubstr("--device cpu works without one"));
}

TEST_F(ExitCodes, AStoreThatCannotBeWrittenIsTheEnvironmentsFault) {
  EXPECT_EQ(run({"run", spec(kSmallSpec), "--store", "/proc/small.db"}).exit_code, 4);
}

TEST_F(ExitCodes, AFullDiskIsTheEnvironmentsFaultAndTheRunGoesOnWhenThereIsSpace) {
  std::filesystem::create_directory(folder_ / "disk");
  if (mount("tmpfs", at("disk").c_str(), "tmpfs", 0, "size=400k") != 0)
    GTEST_SKIP() << "mounting a small disk needs root";
  const std::vector<std::string> command = {"run",
                                            spec(kSmallSpec),
                                            "--store",
                                            "disk/small.db",
                                            "--keep-outputs",
                                            "none",
                                            "--set",
                                            "images.procedural.count=1500",
                                            "--set",
                                            "images.procedural.size=16"};
  const ProgramResult full = run(command);
  EXPECT_EQ(full.exit_code, 4) << full.err;
  EXPECT_THAT(full.err, HasSubstr("disk/small.db"));
  EXPECT_EQ(mount("tmpfs", at("disk").c_str(), "tmpfs", MS_REMOUNT, "size=100m"), 0);
  const ProgramResult resumed = run(command);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.out, HasSubstr("3000 ok"));
  umount(at("disk").c_str());
}

TEST_F(ExitCodes, AStoreOnAReadOnlyDiskIsReportedButNotRun) {
  std::filesystem::create_directory(folder_ / "disk");
  if (mount("tmpfs", at("disk").c_str(), "tmpfs", 0, "size=50m") != 0)
    GTEST_SKIP() << "mounting a disk needs root";
  const std::vector<std::string> command = {"run", spec(kSmallSpec), "--store", "disk/small.db"};
  EXPECT_EQ(run(command).exit_code, 0);
  const std::string rows = run({"report", "disk/small.db", "--csv", "-"}).out;
  EXPECT_EQ(mount("tmpfs", at("disk").c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0);
  const ProgramResult refused = run(command);
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_THAT(refused.err, HasSubstr("disk/small.db"));
  EXPECT_EQ(run({"report", "disk/small.db", "--csv", "-"}).out, rows);
  EXPECT_THAT(run({"status", "disk/small.db"}).out, HasSubstr("6 ok"));
  umount(at("disk").c_str());
}

TEST_F(ExitCodes, ASecondRunOnTheStoreIsRefused) {
  const std::vector<std::string> slow = {"run",        spec(kSmallSpec), "--store",
                                         at("one.db"), "--set",          "images.procedural.count=3000"};
  const pid_t first = start_upbench(slow, folder_.path().string());
  ProgramResult second;
  for (int attempt = 0; attempt < 500 && second.exit_code != 2; ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (std::filesystem::exists(at("one.db")))
      second = run({"run", at("spec.yaml"), "--store", at("one.db")});
  }
  kill(first, SIGKILL);
  wait_for(first);
  EXPECT_EQ(second.exit_code, 2) << second.out << second.err;
  EXPECT_THAT(second.err, HasSubstr("one.db"));
}

TEST_F(ExitCodes, CtrlCStopsWithinSecondsAndTheRunGoesOn) {
  const std::vector<std::string> command = {"run",      spec(kSmallSpec), "--store",
                                            at("c.db"), "--set",          "images.procedural.count=2000"};
  const pid_t process = start_upbench(command, folder_.path().string());
  while (!std::filesystem::exists(at("c.db"))) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  kill(process, SIGINT);
  EXPECT_EQ(wait_for(process), 130);
  EXPECT_EQ(run(command).exit_code, 0);
}

}  // namespace
}  // namespace upbench::test
