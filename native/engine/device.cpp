#include "engine/device.h"

#include "engine/host_process.h"

#ifdef ETA_BACKEND_DL
#ifndef _WIN32
#include <dlfcn.h>
#include <unistd.h>

#include <filesystem>
#endif
#endif
#include <atomic>
#include <cstdio>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace eta::device {

namespace {

// Whether a device was lost since the last renewal.
std::atomic<bool> is_lost{false};

// Over ggml's list of backends and devices. Never destroyed: threads may outlive static data.
std::shared_mutex& List() {
  static std::shared_mutex* const list = new std::shared_mutex();
  return *list;
}

#ifdef ETA_BACKEND_DL
struct Library {
  std::string path;
  ggml_backend_reg_t backend;
};

// Whoever changes ggml's list has this mutex, and the list's own for the change alone.
struct Libraries {
  std::mutex mutex;
  std::vector<Library> loaded;
};

Libraries& Known() {
  static Libraries* const known = new Libraries();
  return *known;
}

#ifndef _WIN32
// From here on the system keeps its code, whoever lets go of it.
bool Pin(const std::string& library) {
  return dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) != nullptr;
}

// Another file, because the system loads no file twice. Null where it cannot be written or loaded.
ggml_backend_reg_t LoadCopy(const std::filesystem::path& path) {
  static std::atomic<int> count{0};
  std::error_code error;
  const std::filesystem::path copy =
      std::filesystem::temp_directory_path(error) /
      ("eta-vlm-" + std::to_string(getpid()) + "-" + std::to_string(++count) + "-" + path.filename().string());
  if (error || !std::filesystem::copy_file(path, copy, error)) return nullptr;
  ggml_backend_reg_t backend = ggml_backend_load(copy.string().c_str());
  std::filesystem::remove(copy, error);
  return backend;
}
#endif
#endif

// What each device said when it was opened; nothing where it is open.
struct Opened {
  std::mutex mutex;
  std::map<ggml_backend_dev_t, std::optional<std::string>> problems;
};

Opened& OpenedSoFar() {
  static Opened* const opened = new Opened();
  return *opened;
}

// Nothing where it is open.
std::optional<std::string> OpenOnce(ggml_backend_dev_t device) {
  Opened& opened = OpenedSoFar();
  const std::lock_guard<std::mutex> lock(opened.mutex);
  const auto [entry, is_new] = opened.problems.try_emplace(device, "its driver gave no reason");
  if (!is_new) return entry->second;
  try {
    static_cast<void>(ggml_backend_dev_buffer_type(device));
    entry->second = std::nullopt;
    return std::nullopt;
  } catch (const std::exception& error) {
    entry->second = error.what();
  } catch (...) {
    // The words stay as they are.
  }
  // ggml-vulkan keeps the half-open device, and its destructor would end the process.
  host_process::SkipStaticDestructors();
  return entry->second;
}

// What llama.cpp would choose from: GPUs, and those in the main memory where there are no others.
bool IsChosenAmong(ggml_backend_dev_t device, bool has_gpu) {
  const auto type = ggml_backend_dev_type(device);
  return type == GGML_BACKEND_DEVICE_TYPE_GPU || (type == GGML_BACKEND_DEVICE_TYPE_IGPU && !has_gpu);
}

bool Holds(const std::string& words, std::initializer_list<const char*> some) {
  for (const char* one : some) {
    if (words.find(one) != std::string::npos) return true;
  }
  return false;
}

// Such as " Free now: CPU 10103 of 23419 MiB, Vulkan0 250 of 8192 MiB."
std::string FreeNow() {
  std::string text;
  ForEach([&text](ggml_backend_dev_t device) {
    size_t free = 0;
    size_t total = 0;
    ggml_backend_dev_memory(device, &free, &total);
    if (total == 0) return;
    char figures[64];
    std::snprintf(figures, sizeof figures, " %zu of %zu MiB", free >> 20, total >> 20);
    text += (text.empty() ? " Free now: " : ", ") + std::string(ggml_backend_dev_name(device)) + figures;
  });
  return text + (text.empty() ? "" : ".");
}

}  // namespace

Reading::Reading() : lock_(List()) {}

void ForEach(const std::function<void(ggml_backend_dev_t)>& look) {
  const Reading reading;
  for (size_t i = 0; i < ggml_backend_dev_count(); i++) look(ggml_backend_dev_get(i));
}

void ForEachBackend(const std::function<void(ggml_backend_reg_t)>& look) {
  const Reading reading;
  for (size_t i = 0; i < ggml_backend_reg_count(); i++) look(ggml_backend_reg_get(i));
}

ggml_backend_dev_t Processor() {
  const Reading reading;
  return ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
}

#ifdef ETA_BACKEND_DL
ggml_backend_reg_t LoadBackend(const std::string& path) {
  const std::lock_guard<std::mutex> lock(Known().mutex);
  for (const Library& library : Known().loaded) {
    if (library.path == path) return library.backend;
  }
  const std::lock_guard<std::shared_mutex> change(List());
  ggml_backend_reg_t backend = ggml_backend_load(path.c_str());
  if (backend != nullptr) Known().loaded.push_back({path, backend});
  return backend;
}

bool LoadBackends(const std::string& folder) {
  const std::lock_guard<std::mutex> lock(Known().mutex);
  if (Processor() != nullptr) return true;
  {
    const std::lock_guard<std::shared_mutex> change(List());
    ggml_backend_load_all_from_path(folder.c_str());
  }
  return Processor() != nullptr;
}
#endif

void RenewLost() {
#if defined(ETA_BACKEND_DL) && !defined(_WIN32)
  const std::lock_guard<std::mutex> lock(Known().mutex);
  if (!is_lost) return;
  for (Library& library : Known().loaded) {
    // The others end the process where a device fails.
    if (ggml_backend_reg_name(library.backend) != std::string("Vulkan")) continue;
    // Its code is still needed by what was loaded on it.
    if (!Pin(library.path)) return;
    const std::lock_guard<std::shared_mutex> change(List());
    ggml_backend_reg_t renewed = LoadCopy(library.path);
    if (renewed == nullptr) return;
    ggml_backend_unload(library.backend);
    library.backend = renewed;
  }
  is_lost = false;
#endif
}

void Open(ggml_backend_dev_t device) {
  bool has_gpu = false;
  ForEach([&](ggml_backend_dev_t one) {
    if (ggml_backend_dev_type(one) == GGML_BACKEND_DEVICE_TYPE_GPU) has_gpu = true;
  });
  std::string problem;
  ForEach([&](ggml_backend_dev_t one) {
    const bool is_wanted = device == nullptr ? IsChosenAmong(one, has_gpu) : one == device;
    if (!problem.empty() || !is_wanted) return;
    const std::optional<std::string> said = OpenOnce(one);
    if (said) problem = "Cannot open the device " + std::string(ggml_backend_dev_name(one)) + ": " + *said + ".";
  });
  if (!problem.empty()) {
    throw Failure(problem + " Name another, compute on the processor (device: 'CPU'), or try again in a new process.",
                  ErrorCode::kDeviceFailed);
  }
}

ggml_backend_dev_t Find(const std::string& name) {
  const Reading reading;
  return ggml_backend_dev_by_name(name.c_str());
}

ErrorCode Meaning(const std::string& words, ErrorCode otherwise) {
  if (Holds(words, {"ErrorDeviceLost", "device lost"})) return ErrorCode::kDeviceLost;
  if (Holds(words, {"ErrorOutOfDeviceMemory", "ErrorOutOfHostMemory", "unable to allocate", "failed to allocate"})) {
    return ErrorCode::kOutOfMemory;
  }
  return otherwise;
}

NativeError Failure(const std::string& message, ErrorCode otherwise) {
  const ErrorCode code = Meaning(message, otherwise);
  switch (code) {
    case ErrorCode::kOutOfMemory:
      return NativeError(code, message + FreeNow() + " Put fewer layers on the device, or ask for fewer cells.");
    case ErrorCode::kDeviceLost:
      is_lost = true;
      return NativeError(code,
                         message +
                             " The device is lost, and with it what was loaded on it: its driver was reset, or it "
                             "was taken away. Dispose of the model and load it again.");
    default:
      return NativeError(code, message);
  }
}

}  // namespace eta::device
