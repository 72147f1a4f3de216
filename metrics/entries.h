#pragma once

#include "metrics/metric.h"

// One function per metric, each in the file of its name; listed in metrics/catalog.cpp.
namespace upbench {

Metric mse();
Metric psnr_rgb();
Metric psnr_y();
Metric ssim_rgb();
Metric ssim_y();
Metric lpips_alex();
Metric lpips_squeeze();
Metric lr_psnr_x2();
Metric lr_psnr_x3();
Metric lr_psnr_x4();
Metric erqa();
Metric ciede2000();
Metric shift();
Metric cambi();

}  // namespace upbench
