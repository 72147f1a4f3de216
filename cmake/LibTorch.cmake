# LibTorch from the PyTorch wheel, as the imported target `torch`: CPU libraries only; CUDA is loaded on demand.
# find_package(Torch) of a CUDA wheel fails without the CUDA toolkit, and -isystem would put the fmt and pybind11
# that the wheel carries before the system's, hence -idirafter.
set(UPBENCH_TORCH_DIR "" CACHE PATH "The torch folder of a Python environment (scripts/build.sh sets it)")
if(NOT EXISTS ${UPBENCH_TORCH_DIR}/lib/libtorch_cpu.so)
  message(FATAL_ERROR "upbench: no LibTorch at UPBENCH_TORCH_DIR='${UPBENCH_TORCH_DIR}'; run scripts/setup.sh, then scripts/build.sh")
endif()

add_library(torch INTERFACE IMPORTED)
target_compile_options(torch INTERFACE
  "SHELL:-idirafter ${UPBENCH_TORCH_DIR}/include"
  "SHELL:-idirafter ${UPBENCH_TORCH_DIR}/include/torch/csrc/api/include")
target_compile_definitions(torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
target_link_libraries(torch INTERFACE
  ${UPBENCH_TORCH_DIR}/lib/libtorch_cpu.so
  ${UPBENCH_TORCH_DIR}/lib/libc10.so)

# at::parallel_for is a template: in a source compiled without OpenMP it runs on one thread, whatever number is set. With LibTorch's
# own OpenMP library, so that a program has one pool of threads; clang's would be another one.
option(UPBENCH_OPENMP "Loops of this project on several threads (g++)" ON)
file(GLOB torch_openmp ${UPBENCH_TORCH_DIR}/lib/libgomp*.so*)
if(UPBENCH_OPENMP AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  if(NOT torch_openmp)
    message(FATAL_ERROR "upbench: no libgomp in ${UPBENCH_TORCH_DIR}/lib, so loops would run on one thread; expected the PyTorch wheel's (or -DUPBENCH_OPENMP=OFF)")
  endif()
  target_compile_options(torch INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fopenmp>)
  target_link_libraries(torch INTERFACE ${torch_openmp})
endif()
