#pragma once

#include <functional>
#include <shared_mutex>
#include <string>

#include "engine/native_error.h"
#include "ggml-backend.h"

// The devices that llama.cpp computes on.
namespace eta::device {

// While one lives, ggml's list of backends and devices stays as it is. Around every call of llama.cpp's or libmtmd's
// that looks at the list; it has no lock of its own. One thread takes one at a time, and calls nothing of this room
// meanwhile.
class Reading {
 public:
  Reading();

 private:
  std::shared_lock<std::shared_mutex> lock_;
};

// The list as it is now. The functions add and find nothing themselves.
void ForEach(const std::function<void(ggml_backend_dev_t)>& look);
void ForEachBackend(const std::function<void(ggml_backend_reg_t)>& look);

// Null where no backend for the processor is loaded.
ggml_backend_dev_t Processor();

#ifdef ETA_BACKEND_DL
// Adds the backend of a shared library to ggml's, which keeps it for the process; once. Null where it cannot be loaded.
ggml_backend_reg_t LoadBackend(const std::string& path);

// Adds the backends of a folder, of several for the processor the best one, unless there is one for the processor
// already. Whether there is one now.
bool LoadBackends(const std::string& folder);
#endif

// Where a device was lost since: ggml-vulkan would keep using it for as long as the process lives, so its library is
// loaded a second time, as a copy, and takes the place of the first. What was loaded on the lost device stays what it
// is. Only for backends that LoadBackend brought, and not on Windows.
void RenewLost();

// Opens a device that a model is to lie on; null: all that llama.cpp would choose from. ggml-vulkan opens a device when
// it is first asked for something, under no lock: of two models that are loaded at once, one would find it half open,
// and so would whoever asks again where opening failed. Both end the process. Throws NativeError DEVICE_FAILED,
// OUT_OF_MEMORY or DEVICE_LOST, every time where it failed once.
void Open(ggml_backend_dev_t device);

// By ggml's name for it, such as "Vulkan0"; upper and lower case are one. Null where there is none.
ggml_backend_dev_t Find(const std::string& name);

// What a backend's or llama.cpp's words mean: OUT_OF_MEMORY, DEVICE_LOST, or `otherwise`. They have no codes for it.
ErrorCode Meaning(const std::string& words, ErrorCode otherwise);

// A failure in their words, as the error of its meaning: with the memory of the devices, or what to do when one is
// lost.
NativeError Failure(const std::string& message, ErrorCode otherwise);

}  // namespace eta::device
