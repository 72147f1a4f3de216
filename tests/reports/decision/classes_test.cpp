#include "reports/decision/classes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/summary.h"
#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Classes, NotesNameThemAndAPictureMayHaveSeveral) {
  RunData data = test::sample_run();
  data.plan.images[0].notes = {"class: text", "class: photo"};
  data.plan.images[2].notes = {"cut", "class: text"};
  const PictureClasses classes = find_classes(data);
  EXPECT_THAT(classes.names, ElementsAre("text", "photo"));
  EXPECT_THAT(classes.pictures, ElementsAre(ElementsAre(0, 2), ElementsAre(0)));
}

TEST(Classes, DrawnPicturesAreNamedAfterTheirs) {
  RunData data = test::sample_run();
  data.plan.images[0].name = "dead-leaves-000";
  data.plan.images[1].name = "text-001";
  data.plan.images[2].name = "text-007";
  EXPECT_THAT(find_classes(data).names, IsEmpty()) << "names of files mean nothing";
  data.plan.run.canonical_spec = R"({"images": {"procedural": {"count": 3}}})";
  EXPECT_THAT(find_classes(data).names, ElementsAre("dead-leaves", "text"));
}

TEST(Classes, ADamagedSpecHasNone) {
  RunData data = test::sample_run();
  for (const char* spec : {"", "[]", "3", "{\"images\": 3}", "not json"}) {
    data.plan.run.canonical_spec = spec;
    EXPECT_THAT(find_classes(data).names, IsEmpty()) << spec;
  }
}

TEST(Classes, TheirNotesAreNotListedAsNotes) {
  RunData data = test::sample_run();
  data.plan.images[0].notes = {"class: text"};
  EXPECT_EQ(notes_table(analyse(data)).rows.size(), 2u) << "that of the set and of the third picture";
}

}  // namespace
}  // namespace upbench
