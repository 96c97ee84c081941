#pragma once

#include <napi.h>

// What the addon was built from and what this machine offers.
namespace eta::backend {

// Once a process: registers the compiled-in backends and routes the log.
void Initialise();

Napi::Object BuildFacts(Napi::Env env);
Napi::Value Devices(const Napi::CallbackInfo& info);
Napi::Value SetLogLevel(const Napi::CallbackInfo& info);
Napi::Value LoadBackend(const Napi::CallbackInfo& info);

}  // namespace eta::backend
