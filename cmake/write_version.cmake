# cmake -DROOT=... -DOUT=... -DVERSION=... -DCOMPILER=... -DFLAGS=... -P write_version.cmake
# Writes harness/version.h; touched only when something in it changes, so a build without a new commit compiles nothing.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git -C ${ROOT} rev-parse --short=12 HEAD OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE
                ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit "no commit")
endif()
execute_process(COMMAND git -C ${ROOT} status --porcelain --untracked-files=no OUTPUT_VARIABLE changes ERROR_QUIET)
set(modified false)
if(changes)
  set(modified true)
endif()
set(header "#pragma once

namespace upbench {

inline constexpr char kVersion[] = \"${VERSION}\";
inline constexpr char kCommit[] = \"${commit}\";
inline constexpr bool kModified = ${modified};
inline constexpr char kCompiler[] = \"${COMPILER}\";
inline constexpr char kFlags[] = \"${FLAGS}\";

}  // namespace upbench
")
set(before "")
if(EXISTS ${OUT})
  file(READ ${OUT} before)
endif()
if(NOT before STREQUAL header)
  file(WRITE ${OUT} "${header}")
endif()
