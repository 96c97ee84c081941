#include <napi.h>

#include "js/backend.h"
#include "js/context.h"
#include "js/environment.h"
#include "js/errors.h"
#include "js/image.h"
#include "js/load_model.h"
#include "js/model.h"
#include "js/process.h"

namespace {

// Every function of the addon: what C++ throws in it leaves as a JS Error with a code.
template <Napi::Value (*kFunction)(const Napi::CallbackInfo&)>
Napi::Value Checked(const Napi::CallbackInfo& info) {
  return eta::errors::Guarded(info, [&info] { return kFunction(info); });
}

Napi::Object Register(Napi::Env env, Napi::Object exports) {
  eta::backend::Initialise();
  eta::Environment::Install(env);
  eta::Model::Register(env);
  eta::Image::Register(env);
  eta::Context::Register(env);
  // Asked anew each time: backends may be loaded later.
  exports.DefineProperty(
      Napi::PropertyDescriptor::Accessor<Checked<eta::backend::BuildFacts>>("build", napi_enumerable));
  exports["devices"] = Napi::Function::New<Checked<eta::backend::Devices>>(env, "devices");
  exports["setLogLevel"] = Napi::Function::New<Checked<eta::backend::SetLogLevel>>(env, "setLogLevel");
  exports["loadBackends"] = Napi::Function::New<Checked<eta::backend::LoadBackends>>(env, "loadBackends");
  exports["loadBackend"] = Napi::Function::New<Checked<eta::backend::LoadBackend>>(env, "loadBackend");
  exports["variable"] = Napi::Function::New<Checked<eta::process::Variable>>(env, "variable");
  exports["setVariable"] = Napi::Function::New<Checked<eta::process::SetVariable>>(env, "setVariable");
  exports["loadedOnnxruntimes"] =
      Napi::Function::New<Checked<eta::process::LoadedOnnxruntimes>>(env, "loadedOnnxruntimes");
  exports["checkThreads"] = Napi::Function::New<Checked<eta::process::CheckThreads>>(env, "checkThreads");
  exports["returnMemory"] = Napi::Function::New<Checked<eta::process::ReturnMemory>>(env, "returnMemory");
  exports["endProcess"] = Napi::Function::New<Checked<eta::process::EndProcess>>(env, "endProcess");
  exports["enterDevice"] = Napi::Function::New<Checked<eta::process::EnterDevice>>(env, "enterDevice");
  exports["leaveDevice"] = Napi::Function::New<Checked<eta::process::LeaveDevice>>(env, "leaveDevice");
  exports["loadModel"] = Napi::Function::New<Checked<eta::LoadModel>>(env, "loadModel");
  return exports;
}

}  // namespace

NODE_API_MODULE(eta_vlm, Register)
