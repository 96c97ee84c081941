#pragma once

#include <napi.h>

namespace eta {

// loadModel(options, onProgress) of the binding.
Napi::Value LoadModel(const Napi::CallbackInfo& info);

}  // namespace eta
