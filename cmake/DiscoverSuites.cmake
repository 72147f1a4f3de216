# upbench_discover_suites(TARGET [FILTER filter]): one CTest test for each test suite of a GoogleTest program, named
# `program.Suite`. A process each test would spend most of its time on loading LibTorch. The suites are listed when ctest
# starts and the program is newer than their list.
function(upbench_discover_suites target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "FILTER" "")
  if(NOT arg_FILTER)
    set(arg_FILTER *)
  endif()
  string(REGEX REPLACE "^upbench_(.*)_test$" "\\1" name ${target})
  set(file ${CMAKE_CURRENT_BINARY_DIR}/${target}_suites.cmake)
  file(GENERATE OUTPUT ${file} CONTENT "set(program \"$<TARGET_FILE:${target}>\")
set(name ${name})
set(filter \"${arg_FILTER}\")
set(list \"${CMAKE_CURRENT_BINARY_DIR}/${target}_suites.txt\")
include(\"${CMAKE_SOURCE_DIR}/cmake/add_suites.cmake\")
")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${file})
endfunction()
