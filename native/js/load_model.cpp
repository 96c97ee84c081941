#include "js/load_model.h"

#include "js/arguments.h"
#include "js/listener.h"
#include "js/model.h"
#include "js/model_values.h"
#include "js/promise.h"

namespace eta {

namespace {

// On the thread that will be the model's; ends it where there is none.
std::shared_ptr<LoadedModel> LoadOn(const std::shared_ptr<JobThread>& thread, const ModelSettings& settings,
                                    const std::shared_ptr<LoadProgress>& progress) {
  std::shared_ptr<LoadedModel> model;
  try {
    model = LoadedModel::Load(settings, thread, progress);
  } catch (...) {
    progress->report = nullptr;  // the callback may be collected
    thread->Stop(nullptr);
    throw;
  }
  progress->report = nullptr;
  thread->SetCleanup([model] { model->Free(); });
  return model;
}

}  // namespace

Napi::Value LoadModel(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const ModelSettings settings = ReadModelSettings(info[0]);
  if (!info[1].IsUndefined() && !info[1].IsFunction()) {
    throw arguments::Invalid(env, "onProgress", "a function", info[1]);
  }
  Environment& environment = Environment::Of(env);
  const auto progress = std::make_shared<LoadProgress>();
  const std::shared_ptr<JobThread> thread = JobThread::Start(environment.GetMailbox());
  if (info[1].IsFunction()) {
    const auto listener = std::make_shared<Listener>(environment, info[1].As<Napi::Function>());
    progress->report = [listener, last = -1.0f](float fraction) mutable {
      // llama.cpp reports each tensor; a percent at a time is enough for anyone who watches.
      if (fraction - last < 0.01f && fraction < 1) return;
      last = fraction;
      listener->Tell([fraction](Napi::Env env) { return Napi::Number::New(env, fraction).As<Napi::Value>(); });
    };
  }

  // Before the promise, which nobody would hold if this failed.
  Napi::Object load = Napi::Object::New(env);
  load["cancel"] =
      Napi::Function::New(env, [progress](const Napi::CallbackInfo&) { progress->is_cancelled = true; }, "cancel");
  load["model"] = Queue<std::shared_ptr<LoadedModel>>(
      env, Napi::Object(), *thread, ErrorCode::kModelLoadFailed,
      [settings, thread, progress]() { return LoadOn(thread, settings, progress); },
      [](Napi::Env env, std::shared_ptr<LoadedModel>& model, const Napi::Object&) {
        return Model::Create(env, model).As<Napi::Value>();
      });
  return load;
}

}  // namespace eta
