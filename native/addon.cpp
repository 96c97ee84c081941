#include <napi.h>

#include "backend.h"
#include "context.h"
#include "environment.h"
#include "host_process.h"
#include "image.h"
#include "model.h"

namespace {

Napi::Object Register(Napi::Env env, Napi::Object exports) {
  eta::backend::Initialise();
  eta::Environment::Install(env);
  eta::Model::Register(env);
  eta::Image::Register(env);
  eta::Context::Register(env);
  exports["build"] = eta::backend::BuildFacts(env);
  exports["devices"] = Napi::Function::New<eta::backend::Devices>(env, "devices");
  exports["setLogLevel"] = Napi::Function::New<eta::backend::SetLogLevel>(env, "setLogLevel");
  exports["loadBackend"] = Napi::Function::New<eta::backend::LoadBackend>(env, "loadBackend");
  exports["variable"] = Napi::Function::New<eta::host_process::Variable>(env, "variable");
  exports["setVariable"] = Napi::Function::New<eta::host_process::SetVariable>(env, "setVariable");
  exports["loadedOnnxruntimes"] =
      Napi::Function::New<eta::host_process::LoadedOnnxruntimes>(env, "loadedOnnxruntimes");
  exports["loadModel"] = Napi::Function::New(
      env,
      [](const Napi::CallbackInfo& info) {
        return eta::arguments::Guarded(info, [&info] { return eta::Model::Load(info); });
      },
      "loadModel");
  return exports;
}

}  // namespace

NODE_API_MODULE(eta_vlm, Register)
