# CMake's toolchain for another platform: zig (https://ziglang.org), a C and C++ compiler with the libraries of all of them.
#   ETA_ZIG        the program
#   ETA_TRIPLE     as zig names the platform, such as aarch64-linux-gnu.2.34
#   ETA_SYSTEM     as CMake names its system, such as Linux
#   ETA_PROCESSOR  as CMake names its processor, such as aarch64
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ETA_ZIG ETA_TRIPLE ETA_SYSTEM ETA_PROCESSOR)
set(CMAKE_SYSTEM_NAME ${ETA_SYSTEM})
set(CMAKE_SYSTEM_PROCESSOR ${ETA_PROCESSOR})
set(CMAKE_C_COMPILER ${ETA_ZIG} cc -target ${ETA_TRIPLE})
set(CMAKE_CXX_COMPILER ${ETA_ZIG} c++ -target ${ETA_TRIPLE})
set(CMAKE_RC_COMPILER ${ETA_ZIG})  # asked for by CMake, never called

# The system's ar does not know other platforms' objects.
foreach(language C CXX)
  set(CMAKE_${language}_ARCHIVE_CREATE "${ETA_ZIG} ar qcs <TARGET> <OBJECTS>")
  set(CMAKE_${language}_ARCHIVE_APPEND "${ETA_ZIG} ar qs <TARGET> <OBJECTS>")
  set(CMAKE_${language}_ARCHIVE_FINISH "")
endforeach()

# Programs of this machine, libraries of none.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
