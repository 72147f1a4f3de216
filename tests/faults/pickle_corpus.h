#pragma once

#include <string>
#include <vector>

#include "tests/faults/fault.h"
#include "tests/faults/weight_bytes.h"

// Row 79. The corpora that scanners of pickles are tested with (picklescan's, fickling's) are other people's
// and not part of this project; the ways of attack in them are published. Here each is written anew, as
// opcodes. Scanners list what is bad and have to know all of these; a list of what is good need know none.
namespace upbench::test {

// Attacks of one kind.
struct PickleKind {
  std::string name;   // of a test
  std::string input;  // for people: all of them
  std::vector<HostilePickle> files;
};
std::vector<PickleKind> named_functions();  // functions that pickles call
std::vector<PickleKind> ways_to_call();     // ways to get a call into a pickle, and a pickle past a scanner
std::vector<PickleKind> pickle_corpus();    // both

// A file of the corpus, which must be refused with this message.
HostilePickle corpus_file(const std::string& name, const std::string& bytes, const std::string& message);

// A line a kind: what `upbench inspect` says of the first of its files.
FaultTable pickle_corpus_faults();

}  // namespace upbench::test
