# The CUDA module: libupbench_cuda.so beside the program, loaded on demand and linked by nothing.
#
# UPBENCH_CUDA: AUTO builds it where an nvcc of LibTorch's CUDA version is found (CUDACXX, the nvidia-cuda-nvcc wheel
# beside LibTorch, PATH, /usr/local/cuda), ON insists (as the preset ci does), OFF leaves it out. The program is the same
# either way.
#
# nvcc is called by custom commands: CMake's own CUDA language first links a test program, which the wheel's
# nvcc cannot (its libraries lie in lib, not lib64).
set(UPBENCH_CUDA AUTO CACHE STRING "Build the CUDA module: AUTO, ON or OFF")
set_property(CACHE UPBENCH_CUDA PROPERTY STRINGS AUTO ON OFF)
set(UPBENCH_CUDA_ARCHITECTURES 80 86 89 90 CACHE STRING "GPUs that get machine code; later ones get the last one's PTX")

cmake_path(GET UPBENCH_TORCH_DIR PARENT_PATH site_packages)
set(cuda_wheel_dir ${site_packages}/nvidia/cu13)

# Why the module cannot be built; empty: it can. Sets nvcc_version.
function(upbench_find_cuda reason)
  set(nvcc $ENV{CUDACXX})
  if(NOT nvcc)
    find_program(nvcc_found nvcc HINTS ${cuda_wheel_dir}/bin PATHS /usr/local/cuda/bin NO_CACHE)
    set(nvcc ${nvcc_found})
  endif()
  set(${reason} "" PARENT_SCOPE)
  if(NOT nvcc)
    set(${reason} "no nvcc (CUDACXX, ${cuda_wheel_dir}/bin, PATH, /usr/local/cuda/bin)" PARENT_SCOPE)
    return()
  endif()
  execute_process(COMMAND ${nvcc} --version OUTPUT_VARIABLE text ERROR_QUIET RESULT_VARIABLE failed)
  if(failed OR NOT text MATCHES "V(13\\.[0-9]+\\.[0-9]+)")
    set(${reason} "${nvcc} is not of CUDA 13, which LibTorch was built with" PARENT_SCOPE)
    return()
  endif()
  set(upbench_nvcc ${nvcc} PARENT_SCOPE)
  set(upbench_nvcc_version ${CMAKE_MATCH_1} PARENT_SCOPE)
  foreach(library ${UPBENCH_TORCH_DIR}/lib/libtorch_cuda.so ${UPBENCH_TORCH_DIR}/lib/libc10_cuda.so ${cuda_wheel_dir}/lib/libcudart.so.13)
    if(NOT EXISTS ${library})
      set(${reason} "this LibTorch has no ${library}" PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

# Sets `result` to the object of one .cu file.
function(upbench_cuda_object source result)
  set(generate "")
  foreach(architecture ${UPBENCH_CUDA_ARCHITECTURES})
    list(APPEND generate -gencode arch=compute_${architecture},code=sm_${architecture})
  endforeach()
  list(GET UPBENCH_CUDA_ARCHITECTURES -1 last)
  list(APPEND generate -gencode arch=compute_${last},code=compute_${last})
  set(warnings -Xcompiler=-Wall,-Wextra)
  if(UPBENCH_WERROR)
    list(APPEND warnings -Xcompiler=-Werror -Werror all-warnings)
  endif()
  cmake_path(GET source STEM stem)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/cuda/${stem}.o)
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/cuda)
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${upbench_nvcc} -std=c++17 -O3 -lineinfo ${generate} ${warnings} -Xcompiler=-fPIC,-fvisibility=hidden
            -I${CMAKE_SOURCE_DIR} -MD -MF ${object}.d -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source}
    DEPFILE ${object}.d
    COMMENT "Building CUDA object ${source}"
    VERBATIM)
  set(${result} ${object} PARENT_SCOPE)
endfunction()

# upbench_cuda_module(NAME KERNELS x.cu ... SOURCES y.cpp ...)
function(upbench_cuda_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "KERNELS;SOURCES")
  if(NOT UPBENCH_CUDA MATCHES "^(AUTO|ON|OFF)$")
    message(FATAL_ERROR "upbench: UPBENCH_CUDA is '${UPBENCH_CUDA}': expected AUTO, ON or OFF")
  endif()
  if(UPBENCH_CUDA STREQUAL OFF)
    message(STATUS "upbench: no CUDA module (UPBENCH_CUDA=OFF)")
    return()
  endif()
  upbench_find_cuda(reason)
  if(reason AND UPBENCH_CUDA STREQUAL ON)
    message(FATAL_ERROR "upbench: UPBENCH_CUDA=ON (the preset ci sets it), but the CUDA module cannot be built: ${reason}. "
      "scripts/setup.sh installs nvcc; to build without the module, -DUPBENCH_CUDA=OFF (UPBENCH_CUDA=OFF scripts/build.sh)")
  elseif(reason)
    message(STATUS "upbench: no CUDA module: ${reason}")
    return()
  endif()
  message(STATUS "upbench: CUDA module with ${upbench_nvcc} ${upbench_nvcc_version}")

  set(objects "")
  foreach(kernel ${arg_KERNELS})
    upbench_cuda_object(${kernel} object)
    list(APPEND objects ${object})
  endforeach()
  add_library(${name} MODULE ${arg_SOURCES} ${objects})
  list(JOIN UPBENCH_CUDA_ARCHITECTURES " sm_" architectures)
  target_compile_definitions(${name} PRIVATE
    UPBENCH_CUDA_BUILD="nvcc ${upbench_nvcc_version}, sm_${architectures} and later")
  target_compile_options(${name} PRIVATE "SHELL:-idirafter ${cuda_wheel_dir}/include")
  target_link_libraries(${name} PRIVATE upbench_flags torch
    ${UPBENCH_TORCH_DIR}/lib/libtorch_cuda.so ${UPBENCH_TORCH_DIR}/lib/libc10_cuda.so ${cuda_wheel_dir}/lib/libcudart.so.13)
  set_target_properties(${name} PROPERTIES
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}
    CXX_VISIBILITY_PRESET hidden
    INSTALL_RPATH "${UPBENCH_TORCH_DIR}/lib;${cuda_wheel_dir}/lib")
  install(TARGETS ${name} LIBRARY DESTINATION bin)
endfunction()
