// Beside AddressSanitizer, g++'s UBSan asks that one's library to write into a file, and goes on to write to stderr itself:
// here its own is asked.
#include <dlfcn.h>

#include <cstdlib>

namespace {

struct ReportPath {
  ReportPath() {
    const char* path = std::getenv("UBSAN_REPORTS");
    void* library = dlopen("libubsan.so.1", RTLD_NOW | RTLD_NOLOAD);
    if (path == nullptr || library == nullptr) return;
    auto set_path = reinterpret_cast<void (*)(const char*)>(dlsym(library, "__sanitizer_set_report_path"));
    if (set_path != nullptr) set_path(path);
  }
};

const ReportPath report_path;

}  // namespace
