# Imported targets for libraries whose packages bring no CMake files.
function(upbench_find_library target header library)
  find_path(${target}_include ${header} REQUIRED)
  find_library(${target}_library ${library} REQUIRED)
  add_library(${target} INTERFACE IMPORTED)
  target_include_directories(${target} SYSTEM INTERFACE ${${target}_include})
  target_link_libraries(${target} INTERFACE ${${target}_library})
endfunction()

# Not find_package(OpenCV): its configuration asks for every OpenCV module and all they need.
find_path(opencv_include opencv2/core.hpp PATH_SUFFIXES opencv4 REQUIRED)
foreach(module core imgproc)
  find_library(opencv_${module}_library opencv_${module} REQUIRED)
  add_library(opencv_${module} INTERFACE IMPORTED)
  target_include_directories(opencv_${module} SYSTEM INTERFACE ${opencv_include})
  target_link_libraries(opencv_${module} INTERFACE ${opencv_${module}_library})
endforeach()

upbench_find_library(spng spng.h spng)
upbench_find_library(jpeg jpeglib.h jpeg)
upbench_find_library(webp webp/decode.h webp)
upbench_find_library(tiff tiffio.h tiff)
upbench_find_library(lcms2 lcms2.h lcms2)
upbench_find_library(utf8proc utf8proc.h utf8proc)
