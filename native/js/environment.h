#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "engine/mailbox.h"
#include "engine/onnx_turn.h"

namespace eta {

// The event loop of a JS thread, as native threads reach it. Once closed, what is posted is dropped.
class EventLoop final : public Mailbox {
 public:
  explicit EventLoop(Napi::Env env);
  void Post(std::unique_ptr<Delivery> delivery) override;
  // JS thread only.
  void KeepAlive(Napi::Env env, bool is_needed);
  void Close();

 private:
  std::mutex mutex_;
  napi_threadsafe_function function_ = nullptr;
  bool is_closed_ = false;
};

// Everything that belongs to one JS environment (the main thread, or one worker thread). All of it is used on that JS
// thread only; native threads know the mailbox alone, so that no V8 handle ever leaves its thread. A delivery may hold
// a reference to it: none is delivered once the environment is torn down.
class Environment {
 public:
  static void Install(Napi::Env env);
  static Environment& Of(Napi::Env env);

  explicit Environment(Napi::Env env) : env_(env), loop_(std::make_shared<EventLoop>(env)) {}

  Napi::Env Env() const { return env_; }
  std::shared_ptr<Mailbox> GetMailbox() const { return loop_; }

  // A promise and its id. `keep` is held until it settles, so that an object cannot be collected under its own work.
  Napi::Promise AddPromise(const Napi::Object& keep, uint64_t* id);
  Napi::Object Kept(uint64_t id);
  void Resolve(uint64_t id, const Napi::Value& value);
  void Reject(uint64_t id, const Napi::Value& error);

  // A callback that deliveries call by id; it does not keep the event loop alive by itself.
  uint64_t AddCallback(const Napi::Function& callback);
  void Call(uint64_t id, const Napi::Value& value);
  void RemoveCallback(uint64_t id) { callbacks_.erase(id); }

  // Held by an evaluator thread while it is inside onnxruntime; given back with the environment at the latest.
  OnnxTurn onnx_turn;

  Napi::FunctionReference model_class;
  Napi::FunctionReference image_class;
  Napi::FunctionReference logits_context_class;
  Napi::FunctionReference hidden_state_context_class;

 private:
  struct Pending {
    Napi::Promise::Deferred deferred;
    Napi::ObjectReference keep;
  };
  Pending Take(uint64_t id);

  Napi::Env env_;
  std::shared_ptr<EventLoop> loop_;
  std::unordered_map<uint64_t, Pending> pending_;
  std::unordered_map<uint64_t, Napi::FunctionReference> callbacks_;
  uint64_t next_id_ = 1;
};

}  // namespace eta
