#pragma once

#include <napi.h>

#include <memory>

#include "engine/kv_context.h"
#include "js/promise.h"

namespace eta {

// NativeLogitsContext and NativeHiddenStateContext: the JS side of a context.
class Context : public Napi::ObjectWrap<Context> {
 public:
  static void Register(Napi::Env env);
  // createContext(options) of a model; `model_object` is kept alive by the context.
  static Napi::Value Create(Napi::Env env, const Napi::Object& model_object, const std::shared_ptr<LoadedModel>& model,
                            const Napi::Value& options);

  explicit Context(const Napi::CallbackInfo& info);
  ~Context() override;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

 private:
  template <Napi::Value (Context::*kMethod)(const Napi::CallbackInfo&)>
  Napi::Value Checked(const Napi::CallbackInfo& info) {
    return errors::Guarded(info, [&] { return (this->*kMethod)(info); });
  }
  template <typename Result>
  Napi::Value Later(const Napi::CallbackInfo& info, std::function<Result(KvContext&)> work,
                    typename PromiseJob<Result>::ConvertFunction convert,
                    ErrorCode failure = ErrorCode::kContextFailed);

  Napi::Value CreateSequence(const Napi::CallbackInfo& info);
  Napi::Value Append(const Napi::CallbackInfo& info);
  Napi::Value Fork(const Napi::CallbackInfo& info);
  Napi::Value SetSampler(const Napi::CallbackInfo& info);
  Napi::Value Trim(const Napi::CallbackInfo& info);
  Napi::Value Release(const Napi::CallbackInfo& info);
  Napi::Value Run(const Napi::CallbackInfo& info);
  Napi::Value Interrupt(const Napi::CallbackInfo& info);
  Napi::Value CreateTokenSet(const Napi::CallbackInfo& info);
  Napi::Value Output(const Napi::CallbackInfo& info);
  Napi::Value Sequence(const Napi::CallbackInfo& info);
  Napi::Value Save(const Napi::CallbackInfo& info);
  Napi::Value Restore(const Napi::CallbackInfo& info);
  Napi::Value Statistics(const Napi::CallbackInfo& info);
  Napi::Value Dispose(const Napi::CallbackInfo& info);

  std::shared_ptr<LoadedModel> model_;
  std::shared_ptr<KvContext> context_;
  Napi::ObjectReference model_object_;  // a model that is only reachable through its contexts must live
  uint64_t last_ticket_ = 0;
};

}  // namespace eta
