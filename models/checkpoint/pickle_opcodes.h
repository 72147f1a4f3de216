#pragma once

#include <cstdint>
#include <string>

namespace upbench {

// The opcodes that a checkpoint may use: the 34 that torch's own weights_only loader knows, and five more.
// binstring: how Python 2 writes longer texts, such as the source of a class in a module that was saved
// whole. frame, short_binunicode, memoize, stack_global: torch.save with pickle_protocol=4. Each puts a
// constant or a name on the stack, so what may be called stays the same. Values as in Python's pickletools.
enum class Opcode : std::uint8_t {
  mark = '(',
  stop = '.',
  append = 'a',
  appends = 'e',
  setitem = 's',
  setitems = 'u',
  tuple = 't',
  empty_dict = '}',
  empty_list = ']',
  empty_tuple = ')',
  none = 'N',
  binint = 'J',
  binint1 = 'K',
  binint2 = 'M',
  binfloat = 'G',
  binunicode = 'X',
  binstring = 'T',
  short_binstring = 'U',
  binget = 'h',
  long_binget = 'j',
  binput = 'q',
  long_binput = 'r',
  binpersid = 'Q',
  global = 'c',
  reduce = 'R',
  build = 'b',
  proto = 0x80,
  newobj = 0x81,
  tuple1 = 0x85,
  tuple2 = 0x86,
  tuple3 = 0x87,
  newtrue = 0x88,
  newfalse = 0x89,
  long1 = 0x8a,
  short_binunicode = 0x8c,
  empty_set = 0x8f,
  stack_global = 0x93,
  memoize = 0x94,
  frame = 0x95,
};

// Python's name of any opcode, allowed here or not; "0xNN" for a byte that is none.
std::string opcode_name(Opcode opcode);

}  // namespace upbench
