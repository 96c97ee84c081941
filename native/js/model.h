#pragma once

#include <napi.h>

#include <memory>

#include "engine/loaded_model.h"
#include "js/errors.h"

namespace eta {

// NativeModel: the JS side of a loaded model.
class Model : public Napi::ObjectWrap<Model> {
 public:
  static void Register(Napi::Env env);
  static Napi::Object Create(Napi::Env env, const std::shared_ptr<LoadedModel>& model);

  explicit Model(const Napi::CallbackInfo& info);
  ~Model() override;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

 private:
  template <Napi::Value (Model::*kMethod)(const Napi::CallbackInfo&)>
  Napi::Value Checked(const Napi::CallbackInfo& info) {
    return errors::Guarded(info, [&] { return (this->*kMethod)(info); });
  }
  LoadedModel& Use(Napi::Env env) const;  // throws DISPOSED
  static Napi::Object Self(const Napi::CallbackInfo& info) { return info.This().As<Napi::Object>(); }

  Napi::Value Tokenize(const Napi::CallbackInfo& info);
  Napi::Value TokenBytes(const Napi::CallbackInfo& info);
  Napi::Value Vocabulary(const Napi::CallbackInfo& info);
  Napi::Value EncodeImage(const Napi::CallbackInfo& info);
  Napi::Value NearestText(const Napi::CallbackInfo& info);
  Napi::Value CreateContext(const Napi::CallbackInfo& info);
  Napi::Value Dispose(const Napi::CallbackInfo& info);

  std::shared_ptr<LoadedModel> model_;
};

}  // namespace eta
