#pragma once

#include <napi.h>

#include <atomic>
#include <memory>
#include <optional>

#include "engine/job_thread.h"
#include "engine/loaded_model.h"
#include "js/environment.h"

namespace eta {

// One slice of a text on the text thread. The next slice is a job of its own at the end of the queue, so that a long
// text holds up a short one for a slice at most.
class TokenizeJob final : public Job {
 public:
  // A promise of the tokens as an Int32Array; `keep` stays alive until it settles. Rejects with CANCELLED within a
  // slice of the flag, TEXT_TOO_LONG, INVALID_ARGUMENT or DISPOSED.
  static Napi::Promise Queue(Napi::Env env, const Napi::Object& keep, const std::shared_ptr<LoadedModel>& model,
                             TextReader reader, const std::shared_ptr<std::atomic<bool>>& is_cancelled);

  void Work() override;
  void Refuse(const NativeError& error) override { error_.emplace(error); }
  void Deliver() override;

 private:
  struct Reading {
    Environment& environment;
    uint64_t promise;
    std::shared_ptr<LoadedModel> model;
    TextReader reader;
    std::shared_ptr<std::atomic<bool>> is_cancelled;
  };
  explicit TokenizeJob(std::shared_ptr<Reading> reading) : reading_(std::move(reading)) {}

  std::shared_ptr<Reading> reading_;
  bool goes_on_ = false;
  std::optional<NativeError> error_;
};

}  // namespace eta
