#include "datasets/safe_text.h"

#include <gtest/gtest.h>

namespace upbench {
namespace {

TEST(SafeText, WhatIsHarmlessStays) {
  for (const char* text : {"", "a b.png", "-dash", "<script>'\"&", "back\\slash", "\xe6\x97\xa5\xe6\x9c\xac",
                           "\xf0\x9f\x98\x80"})
    EXPECT_EQ(safe_text(text), text);
}

TEST(SafeText, ControlCharactersAndBrokenBytesAreWrittenOut) {
  EXPECT_EQ(safe_text("a\nb\x1b[31m\x7f"), "a\\x0ab\\x1b[31m\\x7f");
  EXPECT_EQ(safe_text("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(safe_text("\xc3"), "\\xc3") << "cut";
  EXPECT_EQ(safe_text("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(safe_text("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "surrogate";
  EXPECT_EQ(safe_text("\xc2\x85"), "\\xc2\\x85") << "NEXT LINE, a C1 control";
  EXPECT_EQ(safe_text(std::string_view("a\0b", 3)), "a\\x00b");
}

TEST(SafeText, CharactersThatMisleadAreNamed) {
  EXPECT_EQ(safe_text("a\u202egnp.exe"), "a\\u{202E}gnp.exe");
  EXPECT_EQ(safe_text("\u200f\u2028\u2066\ufeff"), "\\u{200F}\\u{2028}\\u{2066}\\u{FEFF}");
}

}  // namespace
}  // namespace upbench
