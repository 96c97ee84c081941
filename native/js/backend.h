#pragma once

#include <napi.h>

// What the addon was built from and what this machine offers.
namespace eta::backend {

// Once a process: registers the compiled-in backends and routes the log.
void Initialise();

Napi::Value BuildFacts(const Napi::CallbackInfo& info);
Napi::Value Devices(const Napi::CallbackInfo& info);
Napi::Value SetLogLevel(const Napi::CallbackInfo& info);
// Those of a folder, of which ggml picks the best for this processor, unless one for the processor is there already.
// Whether one is there now.
Napi::Value LoadBackends(const Napi::CallbackInfo& info);
Napi::Value LoadBackend(const Napi::CallbackInfo& info);

}  // namespace eta::backend
