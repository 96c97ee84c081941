#pragma once

#include <napi.h>

// Functions of the addon about the process that it is in.
namespace eta::process {

// (name) to the value of the process's own environment, or null.
Napi::Value Variable(const Napi::CallbackInfo& info);
// (name, value)
Napi::Value SetVariable(const Napi::CallbackInfo& info);
// () to an array of {path, version}
Napi::Value LoadedOnnxruntimes(const Napi::CallbackInfo& info);
// (count) Throws NO_THREADS where the system gives no more. Blocks its thread for them to begin and end.
Napi::Value CheckThreads(const Napi::CallbackInfo& info);
// () to a promise: the work is done on another thread.
Napi::Value ReturnMemory(const Napi::CallbackInfo& info);
// (code) Does not return.
Napi::Value EndProcess(const Napi::CallbackInfo& info);
// () Blocks the thread until no other is inside a device of onnxruntime's.
Napi::Value EnterDevice(const Napi::CallbackInfo& info);
// ()
Napi::Value LeaveDevice(const Napi::CallbackInfo& info);

}  // namespace eta::process
