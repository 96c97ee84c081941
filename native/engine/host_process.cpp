#include "engine/host_process.h"

#ifdef _WIN32
#include <windows.h>
// After windows.h, whose types it uses.
#include <psapi.h>
#else
#include <dlfcn.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#else
#include <link.h>
#endif
#endif

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <set>
#ifdef __GLIBC__
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#endif

namespace eta::host_process {

namespace {

// The beginning of onnxruntime's C interface, whose layout is fixed.
struct OrtApiBase {
  const void* (*get_api)(uint32_t version);
  const char* (*get_version_string)();
};
using GetApiBase = const OrtApiBase* (*)();

constexpr const char* kLibrary = "onnxruntime";
constexpr const char* kEntry = "OrtGetApiBase";

struct Library {
  std::string path;
  GetApiBase entry;
};

bool IsNamedAsOne(const std::string& path) {
  const size_t slash = path.find_last_of("/\\");
  return path.find(kLibrary, slash == std::string::npos ? 0 : slash) != std::string::npos;
}

#ifdef _WIN32

// As UTF-8, cut off where Windows cuts it.
std::string PathOf(HMODULE module) {
  wchar_t wide[MAX_PATH * 4];
  const int length = static_cast<int>(GetModuleFileNameW(module, wide, MAX_PATH * 4));
  std::string path(static_cast<size_t>(length) * 3, '\0');  // no UTF-16 unit takes more bytes
  if (length > 0) {
    path.resize(
        WideCharToMultiByte(CP_UTF8, 0, wide, length, path.data(), static_cast<int>(path.size()), nullptr, nullptr));
  }
  return path;
}

std::vector<Library> Libraries() {
  std::vector<HMODULE> modules(1024);
  DWORD bytes = 0;
  if (!K32EnumProcessModules(GetCurrentProcess(), modules.data(), static_cast<DWORD>(modules.size() * sizeof(HMODULE)),
                             &bytes)) {
    return {};
  }
  if (bytes / sizeof(HMODULE) < modules.size()) modules.resize(bytes / sizeof(HMODULE));
  std::vector<Library> found;
  for (const HMODULE module : modules) {
    const std::string path = PathOf(module);
    if (!IsNamedAsOne(path)) continue;
    const auto entry = reinterpret_cast<GetApiBase>(reinterpret_cast<void*>(GetProcAddress(module, kEntry)));
    if (entry != nullptr) found.push_back({path, entry});
  }
  return found;
}

#else

std::vector<std::string> LoadedPaths() {
  std::vector<std::string> paths;
#ifdef __APPLE__
  for (uint32_t i = 0; i < _dyld_image_count(); i++) {
    const char* path = _dyld_get_image_name(i);
    if (path != nullptr) paths.emplace_back(path);
  }
#else
  struct Walk {
    std::vector<std::string>* paths;
    std::exception_ptr failure;
  } walk{&paths, nullptr};
  dl_iterate_phdr(
      [](dl_phdr_info* image, size_t, void* data) {
        Walk& walk = *static_cast<Walk*>(data);
        try {
          if (image->dlpi_name != nullptr) walk.paths->emplace_back(image->dlpi_name);
        } catch (...) {
          walk.failure = std::current_exception();  // the caller is C: nothing may be thrown through it
        }
        return walk.failure == nullptr ? 0 : 1;
      },
      &walk);
  if (walk.failure != nullptr) std::rethrow_exception(walk.failure);
#endif
  return paths;
}

std::vector<Library> Libraries() {
  std::vector<Library> found;
  for (const std::string& path : LoadedPaths()) {
    if (!IsNamedAsOne(path)) continue;
    void* handle = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);  // null where it has been unloaded meanwhile
    if (handle == nullptr) continue;
    const auto entry = reinterpret_cast<GetApiBase>(dlsym(handle, kEntry));
    if (entry != nullptr) found.push_back({path, entry});
    dlclose(handle);
  }
  return found;
}

#endif

}  // namespace

std::optional<std::string> Variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

bool SetVariable(const std::string& name, const std::string& value) {
#ifdef _WIN32
  return _putenv_s(name.c_str(), value.c_str()) == 0;  // the C library's copy and the system's
#else
  return setenv(name.c_str(), value.c_str(), 1) == 0;
#endif
}

void ReturnMemory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

void SkipStaticDestructors() {
#ifdef __GLIBC__
  // What was registered last is called first, and this alone is told the status.
  const auto leave = [](int status, void*) {
    std::fflush(nullptr);
    _exit(status);
  };
  static const int is_registered = on_exit(leave, nullptr);
  static_cast<void>(is_registered);
#endif
}

void End(int code) { std::_Exit(code); }

std::vector<Onnxruntime> LoadedOnnxruntimes() {
  std::vector<Onnxruntime> loaded;
  std::set<GetApiBase> seen;  // a binding finds the entry of the library that it is linked to
  for (const Library& library : Libraries()) {
    if (seen.insert(library.entry).second) loaded.push_back({library.path, library.entry()->get_version_string()});
  }
  return loaded;
}

}  // namespace eta::host_process
