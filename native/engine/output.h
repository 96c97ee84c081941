#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "engine/model_facts.h"
#include "llama.h"

namespace eta {

// What the model made of a row: logits [vocabulary_size], or the hidden state behind the last norm [embedding_size]. It
// lies where llama.cpp left it until the next step; what somebody still holds then is copied, which few rows live to
// see.
class Row {
 public:
  Row(const float* values, int32_t size) : values_(values), size_(static_cast<size_t>(size)) {}
  explicit Row(std::vector<float> values) : copy_(std::move(values)), values_(copy_.data()), size_(copy_.size()) {}
  Row(const Row&) = delete;
  Row& operator=(const Row&) = delete;
  ~Row() = default;

  const float* Values() const { return values_; }
  size_t Size() const { return size_; }
  void Copy() {
    if (values_ == copy_.data()) return;
    copy_.assign(values_, values_ + size_);
    values_ = copy_.data();
  }

 private:
  std::vector<float> copy_;
  const float* values_;
  size_t size_;
};
using OutputRow = std::shared_ptr<const Row>;

// Which of the two a context keeps of a sequence's last row; chosen when it is made. Without state.
class Output {
 public:
  virtual ~Output() = default;
  virtual const char* Name() const = 0;
  virtual int32_t Size(const ModelFacts& facts) const = 0;
  // Of a context with steps of `batch_size` rows.
  virtual void Configure(llama_context_params& params, int32_t batch_size) const = 0;
  virtual void Prepare(llama_context* context, const llama_batch& batch) const = 0;
  // Of the batch that was decoded last; overwritten by the next. Null where llama.cpp has none.
  virtual const float* Row(llama_context* context, int32_t row_of_batch) const = 0;
};

// To draw tokens from.
class Logits final : public Output {
 public:
  const char* Name() const override { return "logits"; }
  int32_t Size(const ModelFacts& facts) const override { return facts.vocabulary_size; }
  void Configure(llama_context_params& params, int32_t batch_size) const override;
  void Prepare(llama_context* context, const llama_batch& batch) const override;
  const float* Row(llama_context* context, int32_t row_of_batch) const override;
};

// For heads of one's own.
class HiddenState final : public Output {
 public:
  const char* Name() const override { return "hidden state"; }
  int32_t Size(const ModelFacts& facts) const override { return facts.embedding_size; }
  void Configure(llama_context_params& params, int32_t batch_size) const override;
  void Prepare(llama_context* context, const llama_batch& batch) const override;
  const float* Row(llama_context* context, int32_t row_of_batch) const override;
};

}  // namespace eta
