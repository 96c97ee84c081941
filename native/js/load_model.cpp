#include "js/load_model.h"

#include "js/arguments.h"
#include "js/model.h"
#include "js/model_values.h"
#include "js/promise.h"

namespace eta {

namespace {

// A callback of JavaScript's that hears of the progress, from a native thread.
class Listener {
 public:
  Listener(Environment& environment, const Napi::Function& callback)
      : environment_(environment), mailbox_(environment.GetMailbox()), callback_(environment.AddCallback(callback)) {}

  void Hear(float fraction) {
    // llama.cpp reports each tensor; a percent at a time is enough for anyone who watches.
    if (fraction - last_ < 0.01f && fraction < 1) return;
    last_ = fraction;
    mailbox_->Post(std::make_unique<Fraction>(environment_, callback_, fraction));
  }
  // After the last progress: the callback may be collected.
  void End() { mailbox_->Post(std::make_unique<Ending>(environment_, callback_)); }

 private:
  class Fraction final : public Delivery {
   public:
    Fraction(Environment& environment, uint64_t callback, float fraction)
        : environment_(environment), callback_(callback), fraction_(fraction) {}
    void Deliver() override { environment_.Call(callback_, fraction_); }

   private:
    Environment& environment_;
    uint64_t callback_;
    float fraction_;
  };

  class Ending final : public Delivery {
   public:
    Ending(Environment& environment, uint64_t callback) : environment_(environment), callback_(callback) {}
    void Deliver() override { environment_.RemoveCallback(callback_); }

   private:
    Environment& environment_;
    uint64_t callback_;
  };

  Environment& environment_;
  std::shared_ptr<Mailbox> mailbox_;
  uint64_t callback_;
  float last_ = -1;
};

// On the thread that will be the model's; ends it where there is none.
std::shared_ptr<LoadedModel> LoadOn(const std::shared_ptr<JobThread>& thread, const ModelSettings& settings,
                                    const std::shared_ptr<LoadProgress>& progress, Listener* listener) {
  std::shared_ptr<LoadedModel> model;
  try {
    model = LoadedModel::Load(settings, thread, progress);
  } catch (...) {
    if (listener != nullptr) listener->End();
    thread->Stop(nullptr);
    throw;
  }
  if (listener != nullptr) listener->End();
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
  std::shared_ptr<Listener> listener;
  if (info[1].IsFunction()) {
    listener = std::make_shared<Listener>(environment, info[1].As<Napi::Function>());
    progress->report = [listener](float fraction) { listener->Hear(fraction); };
  }

  // Before the promise, which nobody would hold if this failed.
  Napi::Object load = Napi::Object::New(env);
  load["cancel"] =
      Napi::Function::New(env, [progress](const Napi::CallbackInfo&) { progress->is_cancelled = true; }, "cancel");
  load["model"] = Queue<std::shared_ptr<LoadedModel>>(
      env, Napi::Object(), *thread, ErrorCode::kModelLoadFailed,
      [settings, thread, progress, listener]() { return LoadOn(thread, settings, progress, listener.get()); },
      [](Napi::Env env, std::shared_ptr<LoadedModel>& model, const Napi::Object&) {
        return Model::Create(env, model).As<Napi::Value>();
      });
  return load;
}

}  // namespace eta
