#pragma once

#include <string>

#include "engine/native_error.h"
#include "ggml-backend.h"

// The devices that llama.cpp computes on.
namespace eta::device {

// By ggml's name for it, such as "Vulkan0"; upper and lower case are one. Null where there is none.
ggml_backend_dev_t Find(const std::string& name);

// What a backend's or llama.cpp's words mean: OUT_OF_MEMORY, DEVICE_LOST, or `otherwise`. They have no codes for it.
ErrorCode Meaning(const std::string& words, ErrorCode otherwise);

// A failure in their words, as the error of its meaning: with the memory of the devices, or what to do when one is lost.
NativeError Failure(const std::string& message, ErrorCode otherwise);

}  // namespace eta::device
