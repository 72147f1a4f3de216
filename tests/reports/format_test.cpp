#include "reports/render/format.h"

#include <limits>
#include <stdexcept>

#include <gtest/gtest.h>

namespace upbench {
namespace {

std::string shown(Table::Kind kind, double value, int decimals = 2) {
  return format_value({.id = {}, .title = {}, .kind = kind, .decimals = decimals}, value);
}

TEST(Format, EveryKindHasItsUnit) {
  EXPECT_EQ(shown(Table::Kind::decibel, 32.7349, 3), "32.735");
  EXPECT_EQ(shown(Table::Kind::number, -0.0001), "0.00");
  EXPECT_EQ(shown(Table::Kind::ratio, 0.25, 1), "25.0 %");
  EXPECT_EQ(shown(Table::Kind::count, 1234567), "1234567");
  EXPECT_EQ(shown(Table::Kind::decibel, std::numeric_limits<double>::infinity()), "∞");
}

TEST(Format, SecondsKeepThreeDigits) {
  EXPECT_EQ(shown(Table::Kind::seconds, 0), "0.00 ms");
  EXPECT_EQ(shown(Table::Kind::seconds, 1.234e-6), "1.23 µs");
  EXPECT_EQ(shown(Table::Kind::seconds, 0.0123), "12.3 ms");
  EXPECT_EQ(shown(Table::Kind::seconds, 0.9996), "1.00 s");
  EXPECT_EQ(shown(Table::Kind::seconds, 99.96), "100 s");
  EXPECT_EQ(shown(Table::Kind::seconds, 150), "2.5 min");
  EXPECT_EQ(shown(Table::Kind::seconds, 7200), "2.0 h");
}

TEST(Format, BytesCountByThousandTwentyFour) {
  EXPECT_EQ(shown(Table::Kind::bytes, 1000), "1000 B");
  EXPECT_EQ(shown(Table::Kind::bytes, 1023.9), "1.00 KiB");
  EXPECT_EQ(shown(Table::Kind::bytes, 1.5 * 1024 * 1024 * 1024), "1.50 GiB");
}

TEST(Format, ExactReadsBackTheSame) {
  for (const double value : {0.1, 1.0 / 3, 32.73, 1e-300, 123456789.123456789})
    EXPECT_EQ(std::stod(exact(value)), value);
  EXPECT_EQ(exact(3), "3");
}

TEST(Format, CleanTextShowsWhatWouldBeInvisible) {
  EXPECT_EQ(clean_text("plain µ · 漢字 🙂"), "plain µ · 漢字 🙂");
  EXPECT_EQ(clean_text("\x1b[31mred\n"), "\uFFFD[31mred\uFFFD");
  EXPECT_EQ(clean_text("a\u2028b\u202Ec\u0085"), "a\uFFFDb\uFFFDc\uFFFD");
  EXPECT_EQ(clean_text("cut \xE6\xBC"), "cut \uFFFD\uFFFD");
  EXPECT_EQ(clean_text("\xC0\xAF\xED\xA0\x80\xF5"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");  // overlong, surrogate, beyond Unicode
  EXPECT_EQ(clean_text(std::string("\0", 1)), "\uFFFD");
}

TEST(Format, CleanTextIsCapped) {
  const std::string capped = clean_text(std::string(100'000, 'x'));
  EXPECT_LE(capped.size(), 403U);  // 400 and an ellipsis of 3
  EXPECT_TRUE(capped.ends_with("x…"));
}

TEST(Format, CleanBlockKeepsLines) {
  EXPECT_EQ(clean_block("a:\n\tb\x1b"), "a:\n\tb\uFFFD");
}

TEST(Table, RefusesARowOfAnotherLength) {
  Table table{.id = "t", .title = {}, .caption = {}, .columns = {{.id = "a", .title = "a"}}, .rows = {}};
  EXPECT_THROW(table.add({}), std::logic_error);
}

}  // namespace
}  // namespace upbench
