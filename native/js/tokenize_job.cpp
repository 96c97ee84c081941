#include "js/tokenize_job.h"

#include "js/promise.h"
#include "js/typed_array.h"

namespace eta {

namespace {

constexpr ErrorCode kFailure = ErrorCode::kInvalidArgument;

}  // namespace

Napi::Promise TokenizeJob::Queue(Napi::Env env, const Napi::Object& keep, const std::shared_ptr<LoadedModel>& model,
                                 TextReader reader, const std::shared_ptr<std::atomic<bool>>& is_cancelled) {
  Environment& environment = Environment::Of(env);
  return Promised(environment, keep, kFailure, [&](uint64_t id) {
    auto reading = std::make_shared<Reading>(Reading{environment, id, model, std::move(reader), is_cancelled});
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
    error_.emplace(errors::Caught(kFailure));
  }
}

void TokenizeJob::Deliver() {
  if (goes_on_) return;
  Settle(reading_->environment, reading_->promise, error_, kFailure,
         [&] { return TypedArrayOf<Napi::Int32Array>(reading_->environment.Env(), reading_->reader.Tokens()); });
}

}  // namespace eta
