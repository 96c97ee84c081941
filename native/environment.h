#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace eta {

class Environment;

// Something that a native thread hands back to the JS thread.
class Delivery {
 public:
  virtual ~Delivery() = default;
  virtual void Deliver(Napi::Env env, Environment& environment) = 0;
};

// The one way from native threads to the JS thread of an environment. Once closed, what is posted is dropped.
class Mailbox {
 public:
  explicit Mailbox(Napi::Env env);
  void Post(std::unique_ptr<Delivery> delivery);
  // JS thread only.
  void KeepLoopAlive(Napi::Env env, bool is_needed);
  void Close();

 private:
  std::mutex mutex_;
  napi_threadsafe_function function_ = nullptr;
  bool is_closed_ = false;
};

// Everything that belongs to one JS environment (the main thread, or one worker thread). All of it is used on that JS
// thread only; native threads know the mailbox alone, so that no V8 handle ever leaves its thread.
class Environment {
 public:
  static void Install(Napi::Env env);
  static Environment& Of(Napi::Env env);

  explicit Environment(Napi::Env env) : mailbox_(std::make_shared<Mailbox>(env)) {}

  const std::shared_ptr<Mailbox>& GetMailbox() const { return mailbox_; }

  // A promise and its id. `keep` is held until it settles, so that an object cannot be collected under its own work.
  Napi::Promise AddPromise(Napi::Env env, const Napi::Object& keep, uint64_t* id);
  Napi::Object Kept(uint64_t id);
  void Resolve(Napi::Env env, uint64_t id, const Napi::Value& value);
  void Reject(Napi::Env env, uint64_t id, const Napi::Value& error);

  // A callback that deliveries call by id; it does not keep the event loop alive by itself.
  uint64_t AddCallback(const Napi::Function& callback);
  void Call(Napi::Env env, uint64_t id, double value);
  void RemoveCallback(uint64_t id) { callbacks_.erase(id); }

  Napi::FunctionReference model_class;
  Napi::FunctionReference image_class;
  Napi::FunctionReference context_class;

 private:
  struct Pending {
    Napi::Promise::Deferred deferred;
    Napi::ObjectReference keep;
  };
  Pending Take(Napi::Env env, uint64_t id);

  std::shared_ptr<Mailbox> mailbox_;
  std::unordered_map<uint64_t, Pending> pending_;
  std::unordered_map<uint64_t, Napi::FunctionReference> callbacks_;
  uint64_t next_id_ = 1;
};

}  // namespace eta
