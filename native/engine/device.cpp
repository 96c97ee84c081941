#include "engine/device.h"

#include <cstdio>

namespace eta::device {

namespace {

bool Holds(const std::string& words, std::initializer_list<const char*> some) {
  for (const char* one : some) {
    if (words.find(one) != std::string::npos) return true;
  }
  return false;
}

// Such as " Free now: Vulkan0 0.25 of 0.50 GiB, CPU 10.10 of 23.42 GiB."
std::string FreeNow() {
  std::string text;
  for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
    ggml_backend_dev_t device = ggml_backend_dev_get(i);
    size_t free = 0;
    size_t total = 0;
    ggml_backend_dev_memory(device, &free, &total);
    if (total == 0) continue;
    char figures[64];
    std::snprintf(figures, sizeof figures, " %.2f of %.2f GiB", static_cast<double>(free) / (1 << 30),
                  static_cast<double>(total) / (1 << 30));
    text += (text.empty() ? " Free now: " : ", ") + std::string(ggml_backend_dev_name(device)) + figures;
  }
  return text.empty() ? text : text + ".";
}

}  // namespace

ggml_backend_dev_t Find(const std::string& name) { return ggml_backend_dev_by_name(name.c_str()); }

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
      return NativeError(code, message +
                                   " The device is lost, and with it what was loaded on it: its driver was reset, or it "
                                   "was taken away. Dispose of the model and load it again.");
    default:
      return NativeError(code, message);
  }
}

}  // namespace eta::device
