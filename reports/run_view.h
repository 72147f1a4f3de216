#pragma once

#include "reports/analysis.h"
#include "reports/table.h"

// How a run came about: what was asked and what was saved, where its time went, which weights it used, how to
// make it again. Tables of what the store does not know come without rows.
namespace upbench {

// The commands that make the run and this report again, and how to see that it is the same.
Table reproduce_table(const Analysis& analysis);
// Cells, pictures, trials; how many repeat another, were left out, were computed.
Table plan_table(const Analysis& analysis);
// One row a stage and a metric: for how many outputs it was computed and for how many taken from another
// trial, its sweep time in all and for one, its share of all of them, the most memory a first output took.
Table work_table(const Analysis& analysis);
// One row a model or checkpoint of a stage: what the file was, its tensor hash, its licence where the file
// states one.
Table weights_table(const Analysis& analysis);

}  // namespace upbench
