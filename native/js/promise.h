#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <variant>

#include "engine/job_thread.h"
#include "js/environment.h"
#include "js/errors.h"

// Promises of work on a native thread.
namespace eta {

using Nothing = std::monostate;

// The end of a promise whose work was queued: with the error, or with what `convert` makes.
template <typename Convert>
void Settle(Environment& environment, uint64_t promise, const std::optional<NativeError>& error, ErrorCode failure,
            Convert convert) {
  const Napi::Env env = environment.Env();
  if (error.has_value()) {
    environment.Reject(promise, errors::ToJs(env, *error).Value());
    return;
  }
  Napi::Value value;
  try {
    value = Napi::Value(env, convert());
  } catch (const Napi::Error& thrown) {
    // What C++ throws in a constructor comes back from JavaScript without a code.
    const bool is_coded = thrown.Get("code").IsString();
    environment.Reject(promise,
                       is_coded ? thrown.Value() : errors::ToJs(env, NativeError(failure, thrown.Message())).Value());
    return;
  } catch (...) {
    environment.Reject(promise, errors::ToJs(env, errors::Caught(failure)).Value());
    return;
  }
  // Not in the try: in a thread that is being terminated this throws, and the promise is taken already.
  environment.Resolve(promise, value);
}

// The one beginning: a promise that `queue` hands on by its id; `keep` stays alive until it settles.
template <typename QueueFunction>
Napi::Promise Promised(Environment& environment, const Napi::Object& keep, ErrorCode failure, QueueFunction queue) {
  uint64_t id = 0;
  const Napi::Promise promise = environment.AddPromise(keep, &id);
  try {
    queue(id);
  } catch (...) {
    // A promise that nobody settles would keep the process alive.
    environment.Reject(id, errors::ToJs(environment.Env(), errors::Caught(failure)).Value());
  }
  return promise;
}

// A job whose outcome is a promise's: `work` runs on the native thread, `convert` on the JS thread, where it also gets
// the object whose method queued it. What fails in either without a code of its own (memory, a library) has the code
// `failure`.
template <typename Result>
class PromiseJob final : public Job {
 public:
  using WorkFunction = std::function<Result()>;
  using ConvertFunction = std::function<Napi::Value(Napi::Env, Result&, const Napi::Object&)>;

  PromiseJob(Environment& environment, uint64_t promise, ErrorCode failure, WorkFunction work, ConvertFunction convert)
      : environment_(environment),
        promise_(promise),
        failure_(failure),
        work_(std::move(work)),
        convert_(std::move(convert)) {}

  void Work() override {
    try {
      result_.emplace(work_());
    } catch (...) {
      error_.emplace(errors::Caught(failure_));
    }
    work_ = nullptr;  // what it captured must not outlive it on another thread
  }

  void Refuse(const NativeError& error) override {
    error_.emplace(error);
    work_ = nullptr;
  }

  void Deliver() override {
    Settle(environment_, promise_, error_, failure_,
           [&] { return convert_(environment_.Env(), *result_, environment_.Kept(promise_)); });
  }

 private:
  Environment& environment_;
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
                    typename PromiseJob<Result>::WorkFunction work,
                    typename PromiseJob<Result>::ConvertFunction convert) {
  Environment& environment = Environment::Of(env);
  return Promised(environment, keep, failure, [&](uint64_t id) {
    thread.Enqueue(std::make_unique<PromiseJob<Result>>(environment, id, failure, std::move(work), std::move(convert)));
  });
}

inline Napi::Value ToUndefined(Napi::Env env, Nothing&, const Napi::Object&) { return env.Undefined(); }

// A promise that resolves with nothing once the thread has ended.
inline Napi::Promise QueueStop(Napi::Env env, const Napi::Object& keep, JobThread& thread) {
  Environment& environment = Environment::Of(env);
  return Promised(environment, keep, ErrorCode::kContextFailed, [&](uint64_t id) {
    thread.Stop(std::make_unique<PromiseJob<Nothing>>(
        environment, id, ErrorCode::kContextFailed, [] { return Nothing(); }, ToUndefined));
  });
}

}  // namespace eta
