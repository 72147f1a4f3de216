#pragma once

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace upbench::test {

// Sums in another order on another number of threads would differ in their last bits.
class OneThread : public ::testing::Test {
 protected:
  void SetUp() override { at::set_num_threads(1); }
  void TearDown() override { at::set_num_threads(before_); }
  int before_ = at::get_num_threads();
};

}  // namespace upbench::test
