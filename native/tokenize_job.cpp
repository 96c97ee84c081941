#include "tokenize_job.h"

#include <new>

#include "arguments.h"

namespace eta {

Napi::Promise TokenizeJob::Queue(Napi::Env env, const Napi::Object& keep, const std::shared_ptr<LoadedModel>& model,
                                 TextReader reader, const std::shared_ptr<std::atomic<bool>>& is_cancelled) {
  uint64_t id = 0;
  Napi::Promise promise = Environment::Of(env).AddPromise(env, keep, &id);
  auto reading = std::make_shared<Reading>(Reading{id, model, std::move(reader), is_cancelled});
  model->TextThread().Enqueue(std::unique_ptr<TokenizeJob>(new TokenizeJob(std::move(reading))));
  return promise;
}

void TokenizeJob::Work() {
  try {
    if (*reading_->is_cancelled) throw NativeError(ErrorCode::kCancelled, "The text was not needed any more.");
    bool is_done = false;
    if (!reading_->model->Read(reading_->reader, &is_done)) {
      throw NativeError(ErrorCode::kDisposed, "The model was disposed of; load it again to use it.");
    }
    if (is_done) return;
    goes_on_ = true;
    reading_->model->TextThread().Enqueue(std::unique_ptr<TokenizeJob>(new TokenizeJob(reading_)));
  } catch (const NativeError& error) {
    error_.emplace(error);
  } catch (const std::bad_alloc&) {
    error_.emplace(ErrorCode::kInvalidArgument, "Expected a text that fits into memory as tokens.");
  } catch (const std::exception& error) {
    error_.emplace(ErrorCode::kInvalidArgument, std::string("Cannot tokenize the text: ") + error.what());
  }
}

void TokenizeJob::Deliver(Napi::Env env, Environment& environment) {
  if (goes_on_) return;
  if (error_.has_value()) {
    environment.Reject(env, reading_->promise, arguments::ToJs(env, *error_).Value());
  } else {
    environment.Resolve(env, reading_->promise, arguments::ToJs(env, reading_->reader.Tokens()));
  }
}

}  // namespace eta
