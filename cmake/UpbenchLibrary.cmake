# One target per folder (or torch-free part of one). Warnings live in `upbench_flags`, linked privately by every own target.
add_library(upbench_flags INTERFACE)
# Designated initialisers that leave members to their defaults are wanted: -Wno-missing-field-initializers.
target_compile_options(upbench_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wno-missing-field-initializers -Woverloaded-virtual
  $<$<BOOL:${UPBENCH_WERROR}>:-Werror>)
target_include_directories(upbench_flags INTERFACE ${CMAKE_SOURCE_DIR})

# upbench_library(NAME SOURCES ... [LINK ...] [PCH header | PCH_FROM target])
#   LINK: the folder's whole allowance of dependencies.
function(upbench_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PCH;PCH_FROM" "SOURCES;LINK")
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE upbench_flags PUBLIC ${arg_LINK})
  upbench_precompiled_header(${name} "${arg_PCH}" "${arg_PCH_FROM}")
  upbench_batch(${name})
endfunction()

# upbench_test(NAME SOURCES ... [LINK ...] [PCH_FROM target]): a GoogleTest program, each suite registered with CTest.
function(upbench_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PCH_FROM" "SOURCES;LINK")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE upbench_flags ${arg_LINK} upbench_test_support GTest::gmock GTest::gtest_main)
  upbench_precompiled_header(${name} "" "${arg_PCH_FROM}")
  upbench_batch(${name})
  upbench_discover_suites(${name})
endfunction()

# upbench_benchmark(NAME SOURCES ... [LINK ...] [PCH_FROM target]): a Google Benchmark program.
function(upbench_benchmark name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PCH_FROM" "SOURCES;LINK")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE upbench_flags ${arg_LINK} benchmark::benchmark)
  upbench_precompiled_header(${name} "" "${arg_PCH_FROM}")
endfunction()

function(upbench_precompiled_header name header from)
  if(header)
    target_precompile_headers(${name} PRIVATE ${header})
  elseif(from)
    target_precompile_headers(${name} REUSE_FROM ${from})
  endif()
endfunction()
