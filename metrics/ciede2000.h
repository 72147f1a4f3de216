#pragma once

// Colour differences as the eye sees them.
namespace upbench {

// CIE 1976 L*a*b*: L 0..100.
struct Lab {
  double lightness = 0, a = 0, b = 0;
};

// Of an sRGB colour (IEC 61966-2-1) with values in [0, 1]; white point D65, 2 degree observer (0.95047, 1,
// 1.08883).
Lab lab_of_srgb(double red, double green, double blue);

// The colour difference CIEDE2000 with kL = kC = kH = 1 (CIE 142-2001; as written out and tested by Sharma,
// Wu, Dalal, The CIEDE2000 color-difference formula, Color Research and Application 30(1), 2005). About 1 is
// just noticeable. Symmetric; 0 for equal colours.
double ciede2000_difference(const Lab& first, const Lab& second);

}  // namespace upbench
