#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <variant>

#include "arguments.h"
#include "job_thread.h"

namespace eta {

using Nothing = std::monostate;

// The one end of a promise: with the error, or with what `convert` makes.
template <typename Convert>
void Settle(Napi::Env env, Environment& environment, uint64_t promise, const std::optional<NativeError>& error,
            ErrorCode failure, Convert convert) {
  if (error.has_value()) {
    environment.Reject(env, promise, arguments::ToJs(env, *error).Value());
    return;
  }
  Napi::Value value;
  try {
    value = convert();
  } catch (const Napi::Error& thrown) {
    // What C++ throws in a constructor comes back from JavaScript without a code.
    const bool is_coded = thrown.Get("code").IsString();
    environment.Reject(env, promise, is_coded ? thrown.Value()
                                              : arguments::ToJs(env, NativeError(failure, thrown.Message())).Value());
    return;
  } catch (...) {
    environment.Reject(env, promise, arguments::ToJs(env, arguments::Caught(failure)).Value());
    return;
  }
  // Not in the try: in a thread that is being terminated this throws, and the promise is taken already.
  environment.Resolve(env, promise, value);
}

// The one beginning: a promise that `queue` hands on by its id; `keep` stays alive until it settles.
template <typename QueueFunction>
Napi::Promise Promised(Napi::Env env, const Napi::Object& keep, ErrorCode failure, QueueFunction queue) {
  uint64_t id = 0;
  Napi::Promise promise = Environment::Of(env).AddPromise(env, keep, &id);
  try {
    queue(id);
  } catch (...) {
    // A promise that nobody settles would keep the process alive.
    Environment::Of(env).Reject(env, id, arguments::ToJs(env, arguments::Caught(failure)).Value());
  }
  return promise;
}

// Work in one piece: `work` runs on the native thread, `convert` on the JS thread, where it also gets the object
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
    Settle(env, environment, promise_, error_, failure_,
           [&] { return convert_(env, *result_, environment.Kept(promise_)); });
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
  return Promised(env, keep, failure, [&](uint64_t id) {
    thread.Enqueue(std::make_unique<Task<Result>>(id, failure, std::move(work), std::move(convert)));
  });
}

inline Napi::Value ToUndefined(Napi::Env env, Nothing&, const Napi::Object&) { return env.Undefined(); }

// A promise that resolves with nothing once the thread has ended.
inline Napi::Promise QueueStop(Napi::Env env, const Napi::Object& keep, JobThread& thread) {
  return Promised(env, keep, ErrorCode::kContextFailed, [&](uint64_t id) {
    thread.Stop(std::make_unique<Task<Nothing>>(id, ErrorCode::kContextFailed, [] { return Nothing(); }, ToUndefined));
  });
}

}  // namespace eta
