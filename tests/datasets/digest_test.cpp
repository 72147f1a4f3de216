#include "datasets/digest.h"

#include <gtest/gtest.h>

#include "tests/datasets/picture_files.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

// FIPS 180-4, examples of NIST.
TEST(Digest, KnownAnswers) {
  EXPECT_EQ(sha256("").hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc").hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abc").short_hex(), "ba7816bf8f01");
}

TEST(Digest, FieldsAreFramed) {
  EXPECT_EQ(Hasher().add("ab").add("c").finish(), Hasher().add("a").add("bc").finish());
  EXPECT_NE(Hasher().add_field("ab").add_field("c").finish(),
            Hasher().add_field("a").add_field("bc").finish());
}

TEST(Digest, TextFormIsReadBack) {
  const Digest digest = sha256("abc");
  EXPECT_EQ(parse_digest(digest.hex()), digest);
  EXPECT_THROW(parse_digest("abc"), std::invalid_argument);
  EXPECT_THROW(parse_digest(std::string(64, 'g')), std::invalid_argument);
  EXPECT_TRUE(Digest{}.is_zero());
}

TEST(Digest, FileIsHashedAsItsBytes) {
  const TemporaryFolder folder;
  const FileBytes bytes(3 << 20, 7);  // several buffers
  write_bytes(folder / "a", bytes);
  EXPECT_EQ(sha256_file(folder / "a"), Hasher().add(bytes.data(), bytes.size()).finish());
  EXPECT_THROW(sha256_file(folder / "absent"), std::runtime_error);
}

}  // namespace
}  // namespace upbench::test
