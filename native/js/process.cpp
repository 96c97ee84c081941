#include "js/process.h"

#include "engine/host_process.h"
#include "engine/thread_pool.h"
#include "js/arguments.h"
#include "js/environment.h"

namespace eta::process {

Napi::Value Variable(const Napi::CallbackInfo& info) {
  const std::optional<std::string> value = host_process::Variable(arguments::Text(info[0], "name"));
  return value.has_value() ? Napi::String::New(info.Env(), *value).As<Napi::Value>() : info.Env().Null();
}

Napi::Value SetVariable(const Napi::CallbackInfo& info) {
  const std::string name = arguments::Text(info[0], "name");
  if (!host_process::SetVariable(name, arguments::Text(info[1], "value"))) {
    throw arguments::Invalid(info.Env(), "name", "the name of a variable", info[0]);
  }
  return info.Env().Undefined();
}

Napi::Value LoadedOnnxruntimes(const Napi::CallbackInfo& info) {
  Napi::Array loaded = Napi::Array::New(info.Env());
  for (const host_process::Onnxruntime& library : host_process::LoadedOnnxruntimes()) {
    Napi::Object object = Napi::Object::New(info.Env());
    object["path"] = library.path;
    object["version"] = library.version;
    loaded.Set(loaded.Length(), object);
  }
  return loaded;
}

Napi::Value CheckThreads(const Napi::CallbackInfo& info) {
  thread_pool::Check(static_cast<int32_t>(arguments::Integer(info[0], "count", 0, 1024)));
  return info.Env().Undefined();
}

namespace {

class MemoryReturn final : public Napi::AsyncWorker {
 public:
  explicit MemoryReturn(Napi::Env env) : AsyncWorker(env, "eta-vlm"), deferred_(Napi::Promise::Deferred::New(env)) {}
  Napi::Promise Promise() const { return deferred_.Promise(); }
  void Execute() override { host_process::ReturnMemory(); }
  void OnOK() override { deferred_.Resolve(Env().Undefined()); }

 private:
  Napi::Promise::Deferred deferred_;
};

}  // namespace

Napi::Value ReturnMemory(const Napi::CallbackInfo& info) {
  MemoryReturn* const work = new MemoryReturn(info.Env());  // deletes itself when it is done
  const Napi::Promise promise = work->Promise();
  work->Queue();
  return promise;
}

Napi::Value EndProcess(const Napi::CallbackInfo& info) {
  host_process::End(static_cast<int>(arguments::Integer(info[0], "code", 0, 255)));
}

Napi::Value EnterDevice(const Napi::CallbackInfo& info) {
  const int64_t ms = arguments::Integer(info[0], "atMostMs", 0, 60000);
  return Napi::Boolean::New(info.Env(), Environment::Of(info.Env()).onnx_turn.Enter(std::chrono::milliseconds(ms)));
}

Napi::Value LeaveDevice(const Napi::CallbackInfo& info) {
  Environment::Of(info.Env()).onnx_turn.Leave();
  return info.Env().Undefined();
}

}  // namespace eta::process
