#include "js/backend.h"

#include <mutex>
#include <string>

#include "engine/assertions.h"
#include "engine/device.h"
#include "engine/log.h"
#include "ggml-backend.h"
#include "js/arguments.h"
#include "js/errors.h"
#include "llama.h"

namespace eta::backend {

namespace {

// Raised with every change of src/native/*-types.ts, here and in src/native/llama-version.ts.
constexpr int kBindingVersion = 7;

const char* TypeName(enum ggml_backend_dev_type type) {
  switch (type) {
    case GGML_BACKEND_DEVICE_TYPE_CPU:
      return "cpu";
    case GGML_BACKEND_DEVICE_TYPE_GPU:
      return "gpu";
    case GGML_BACKEND_DEVICE_TYPE_IGPU:
      return "integrated-gpu";
    default:
      return "accelerator";
  }
}

#ifndef ETA_BACKEND_DL
// A backend library brings its own libggml-base, which would be a second ggml beside the one compiled in.
[[noreturn]] void RefuseBackend(Napi::Env env, const std::string& path) {
  throw errors::ToJs(env, NativeError(ErrorCode::kInvalidArgument,
                                      "Cannot load " + path +
                                          ": this build has its backends compiled in. Rebuild with --prebuilt for "
                                          "backends from shared libraries."));
}
#endif

}  // namespace

void Initialise() {
  static std::once_flag once;
  std::call_once(once, [] {
    log::Install();
    assertions::Install();
    llama_backend_init();
  });
}

Napi::Value BuildFacts(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object facts = Napi::Object::New(env);
  facts["bindingVersion"] = kBindingVersion;
  facts["llamaTag"] = Napi::String::New(env, ETA_LLAMA_TAG);
  facts["route"] = Napi::String::New(env, ETA_ROUTE);
  Napi::Array backends = Napi::Array::New(env);
  device::ForEachBackend(
      [&backends](ggml_backend_reg_t backend) { backends.Set(backends.Length(), ggml_backend_reg_name(backend)); });
  facts["backends"] = backends;
  // llama.cpp writes it into one text of its own, whichever thread asks.
  static std::mutex text;
  const std::lock_guard<std::mutex> lock(text);
  const device::Reading reading;
  facts["systemInfo"] = Napi::String::New(env, llama_print_system_info());
  return facts;
}

Napi::Value Devices(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array devices = Napi::Array::New(env);
  device::ForEach([&](ggml_backend_dev_t device) {
    size_t free = 0;
    size_t total = 0;
    ggml_backend_dev_memory(device, &free, &total);
    Napi::Object facts = Napi::Object::New(env);
    facts["name"] = Napi::String::New(env, ggml_backend_dev_name(device));
    facts["description"] = Napi::String::New(env, ggml_backend_dev_description(device));
    facts["type"] = Napi::String::New(env, TypeName(ggml_backend_dev_type(device)));
    facts["memoryFreeBytes"] = Napi::Number::New(env, static_cast<double>(free));
    facts["memoryTotalBytes"] = Napi::Number::New(env, static_cast<double>(total));
    devices.Set(devices.Length(), facts);
  });
  return devices;
}

Napi::Value SetLogLevel(const Napi::CallbackInfo& info) {
  log::SetLevel(static_cast<int>(arguments::Choice(info[0], "level", {"silent", "error", "warn", "info", "debug"})));
  return info.Env().Undefined();
}

Napi::Value LoadBackends(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string folder = arguments::Text(info[0], "folder");
#ifdef ETA_BACKEND_DL
  // Of the process: a second thread that loads the addon finds a backend there already.
  static std::mutex mutex;
  static std::string taken;
  const std::lock_guard<std::mutex> lock(mutex);
  if (!device::LoadBackends(folder)) return env.Null();
  if (taken.empty()) taken = folder;
  return Napi::String::New(env, taken);
#else
  RefuseBackend(env, folder);
#endif
}

Napi::Value LoadBackend(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string path = arguments::Text(info[0], "path");
#ifdef ETA_BACKEND_DL
  ggml_backend_reg_t backend = device::LoadBackend(path);
  if (backend == nullptr) {
    throw errors::ToJs(env, NativeError(ErrorCode::kInvalidArgument,
                                        "Expected a ggml backend of llama.cpp " ETA_LLAMA_TAG " at " + path +
                                            " whose own libraries can be found; it could not be loaded."));
  }
  return Napi::String::New(env, ggml_backend_reg_name(backend));
#else
  RefuseBackend(env, path);
#endif
}

}  // namespace eta::backend
