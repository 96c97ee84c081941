#include "tokenize_job.h"

#include "task.h"

namespace eta {

namespace {

constexpr ErrorCode kFailure = ErrorCode::kInvalidArgument;

}  // namespace

Napi::Promise TokenizeJob::Queue(Napi::Env env, const Napi::Object& keep, const std::shared_ptr<LoadedModel>& model,
                                 TextReader reader, const std::shared_ptr<std::atomic<bool>>& is_cancelled) {
  return Promised(env, keep, kFailure, [&](uint64_t id) {
    auto reading = std::make_shared<Reading>(Reading{id, model, std::move(reader), is_cancelled});
    model->TextThread().Enqueue(std::unique_ptr<TokenizeJob>(new TokenizeJob(std::move(reading))));
  });
}

void TokenizeJob::Work() {
  try {
    if (*reading_->is_cancelled) throw NativeError(ErrorCode::kCancelled, "The text was not needed any more.");
    bool is_done = false;
    if (!reading_->model->Read(reading_->reader, &is_done)) {
      throw NativeError(ErrorCode::kDisposed, "The model was disposed of; load it again to use it.");
    }
    if (is_done) return;
    reading_->model->TextThread().Enqueue(std::unique_ptr<TokenizeJob>(new TokenizeJob(reading_)));
    goes_on_ = true;  // only where there is another that settles the promise
  } catch (...) {
    error_.emplace(arguments::Caught(kFailure));
  }
}

void TokenizeJob::Deliver(Napi::Env env, Environment& environment) {
  if (goes_on_) return;
  Settle(env, environment, reading_->promise, error_, kFailure,
         [&] { return arguments::ToJs(env, reading_->reader.Tokens()); });
}

}  // namespace eta
