#pragma once

#include <napi.h>

// The process that the addon is in: what JavaScript in a worker thread cannot see of it.
namespace eta::host_process {

// (name) to the value of the process's own environment, or null. A worker thread's process.env is only a copy.
Napi::Value Variable(const Napi::CallbackInfo& info);
// (name, value)
Napi::Value SetVariable(const Napi::CallbackInfo& info);
// Path and version of every onnxruntime that is loaded, by whom ever: an array of {path, version}.
Napi::Value LoadedOnnxruntimes(const Napi::CallbackInfo& info);

}  // namespace eta::host_process
