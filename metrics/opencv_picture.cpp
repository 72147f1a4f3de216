#include "metrics/opencv_picture.h"

#include <cmath>

#include <opencv2/core.hpp>

namespace upbench {

cv::Mat bgr_of(const Planes& planes) {
  cv::Mat bgr(planes.height, planes.width, CV_8UC3);
  for (int channel = 0; channel < 3; ++channel)
    for (int y = 0; y < planes.height; ++y) {
      const float* from = planes.row(channel, y);
      std::uint8_t* to = bgr.ptr<std::uint8_t>(y) + 2 - channel;
      for (int x = 0; x < planes.width; ++x)
        to[std::ptrdiff_t{3} * x] = static_cast<std::uint8_t>(std::lrint(from[x] * 255.0F));
    }
  return bgr;
}

cv::Mat luma_of(const Planes& planes) {
  cv::Mat luma(planes.height, planes.width, CV_32F);
  for (int y = 0; y < planes.height; ++y) {
    const float *red = planes.row(0, y), *green = planes.row(1, y), *blue = planes.row(2, y);
    auto* to = luma.ptr<float>(y);
    for (int x = 0; x < planes.width; ++x) to[x] = 0.299F * red[x] + 0.587F * green[x] + 0.114F * blue[x];
  }
  return luma;
}

}  // namespace upbench
