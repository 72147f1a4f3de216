#include "metrics/artifacts/regions.h"

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

namespace upbench {
namespace {

TEST(Regions, BoxesCoverConnectedCellsWorstFirst) {
  cv::Mat cells = cv::Mat::zeros(10, 20, CV_32F);
  cells(cv::Rect(2, 1, 3, 2)) = 5.0F;
  cells.at<float>(1, 3) = 6.0F;
  cells.at<float>(3, 5) = 4.0F;  // touches the first by its corner
  cells.at<float>(9, 19) = 8.0F;
  const auto boxes = worst_regions(cells, 3, 200, 50);
  ASSERT_EQ(boxes.size(), 2u);
  EXPECT_EQ(boxes[0].value, 8);
  EXPECT_EQ(boxes[0].x, 190);
  EXPECT_EQ(boxes[0].y, 45);
  EXPECT_EQ(boxes[0].width, 10);
  EXPECT_EQ(boxes[0].height, 5);
  EXPECT_EQ(boxes[1].value, 6);
  EXPECT_EQ(boxes[1].x, 20);
  EXPECT_EQ(boxes[1].width, 40);
  EXPECT_EQ(boxes[1].height, 15);
  EXPECT_TRUE(worst_regions(cells, 8, 200, 50).empty());
}

TEST(Regions, KeepsTheWorstOfMany) {
  cv::Mat cells = cv::Mat::zeros(1, 60, CV_32F);
  for (int i = 0; i < 30; ++i) cells.at<float>(0, 2 * i) = static_cast<float>(i + 1);
  const auto boxes = worst_regions(cells, 0, 60, 1);
  ASSERT_EQ(boxes.size(), kMostBoxes);
  EXPECT_EQ(boxes.front().value, 30);
  EXPECT_EQ(boxes.back().value, 31 - static_cast<double>(kMostBoxes));
}

TEST(Regions, QuantilesAreValuesByRank) {
  const cv::Mat cells = (cv::Mat_<float>(2, 2) << 4, 1, 3, 2);
  EXPECT_EQ(quantile(cells, 0), 1);
  EXPECT_EQ(quantile(cells, 0.5), 2);
  EXPECT_EQ(quantile(cells, 0.51), 3);
  EXPECT_EQ(quantile(cells, 1), 4);
}

}  // namespace
}  // namespace upbench
