#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <variant>

#include "arguments.h"
#include "job_thread.h"

namespace eta {

using Nothing = std::monostate;

// The one promise worker: `work` runs on the native thread, `convert` on the JS thread, where it also gets the object
// whose method queued it. What fails in either without a code of its own (memory, a library) has the code `failure`.
template <typename Result>
class Task final : public Job {
 public:
  using WorkFunction = std::function<Result()>;
  using ConvertFunction = std::function<Napi::Value(Napi::Env, Result&, const Napi::Object&)>;

  Task(uint64_t promise, ErrorCode failure, WorkFunction work, ConvertFunction convert)
      : promise_(promise), failure_(failure), work_(std::move(work)), convert_(std::move(convert)) {}

  void Work() override {
    try {
      result_.emplace(work_());
    } catch (...) {
      error_.emplace(arguments::Caught(failure_));
    }
    work_ = nullptr;  // what it captured must not outlive it on another thread
  }

  void Refuse(const NativeError& error) override {
    error_.emplace(error);
    work_ = nullptr;
  }

  void Deliver(Napi::Env env, Environment& environment) override {
    if (error_.has_value()) {
      environment.Reject(env, promise_, arguments::ToJs(env, *error_).Value());
      return;
    }
    Napi::Value value;
    try {
      value = convert_(env, *result_, environment.Kept(promise_));
    } catch (const Napi::Error& error) {
      environment.Reject(env, promise_, error.Value());
      return;
    } catch (...) {
      environment.Reject(env, promise_, arguments::ToJs(env, arguments::Caught(failure_)).Value());
      return;
    }
    // Not in the try: in a thread that is being terminated this throws, and the promise is taken already.
    environment.Resolve(env, promise_, value);
  }

 private:
  uint64_t promise_;
  ErrorCode failure_;
  WorkFunction work_;
  ConvertFunction convert_;
  std::optional<Result> result_;
  std::optional<NativeError> error_;
};

// Queues `work` on the thread and returns its promise; `keep` stays alive until it settles.
template <typename Result>
Napi::Promise Queue(Napi::Env env, const Napi::Object& keep, JobThread& thread, ErrorCode failure,
                    typename Task<Result>::WorkFunction work, typename Task<Result>::ConvertFunction convert) {
  uint64_t id = 0;
  Napi::Promise promise = Environment::Of(env).AddPromise(env, keep, &id);
  try {
    thread.Enqueue(std::make_unique<Task<Result>>(id, failure, std::move(work), std::move(convert)));
  } catch (...) {
    // A promise that nobody settles would keep the process alive.
    Environment::Of(env).Reject(env, id, arguments::ToJs(env, arguments::Caught(failure)).Value());
  }
  return promise;
}

inline Napi::Value ToUndefined(Napi::Env env, Nothing&, const Napi::Object&) { return env.Undefined(); }

// A promise that resolves with nothing once the thread has ended.
inline Napi::Promise QueueStop(Napi::Env env, const Napi::Object& keep, JobThread& thread) {
  uint64_t id = 0;
  Napi::Promise promise = Environment::Of(env).AddPromise(env, keep, &id);
  thread.Stop(std::make_unique<Task<Nothing>>(id, ErrorCode::kContextFailed, [] { return Nothing(); }, ToUndefined));
  return promise;
}

}  // namespace eta
