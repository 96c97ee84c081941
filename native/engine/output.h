#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/model_facts.h"
#include "ggml.h"
#include "llama.h"

namespace eta {

// What the model made of a row: logits [vocabulary_size], or the hidden state behind the last norm or behind a layer
// [embedding_size]. It lies where the step left it until the next one; what somebody still holds then is copied, which
// few rows live to see.
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

// Which of these a context keeps of a sequence's last row; chosen when it is made. Each context has one of its own.
class Output {
 public:
  virtual ~Output() = default;
  virtual const char* Name() const = 0;
  virtual int32_t Size(const ModelFacts& facts) const = 0;
  // Of a context with steps of `batch_size` rows.
  virtual void Configure(llama_context_params& params, int32_t batch_size) = 0;
  virtual void Prepare(llama_context* context, const llama_batch& batch) = 0;
  // Of the batch that was decoded last; overwritten by the next. Null where llama.cpp has none.
  virtual const float* Row(llama_context* context, int32_t row_of_batch) const = 0;
};

// To draw tokens from.
class Logits final : public Output {
 public:
  const char* Name() const override { return "logits"; }
  int32_t Size(const ModelFacts& facts) const override { return facts.vocabulary_size; }
  void Configure(llama_context_params& params, int32_t batch_size) override;
  void Prepare(llama_context* context, const llama_batch& batch) override;
  const float* Row(llama_context* context, int32_t row_of_batch) const override;
};

// For heads of one's own.
class HiddenState final : public Output {
 public:
  const char* Name() const override { return "hidden state"; }
  int32_t Size(const ModelFacts& facts) const override { return facts.embedding_size; }
  void Configure(llama_context_params& params, int32_t batch_size) override;
  void Prepare(llama_context* context, const llama_batch& batch) override;
  const float* Row(llama_context* context, int32_t row_of_batch) const override;
};

// The hidden state that a layer hands to the next one, which no norm has seen: what llama.cpp's models call `l_out`,
// and what its control vectors are added to. Not for models with a running state: llama.cpp puts their rows into
// another order.
class LayerState final : public Output {
 public:
  // A layer of a control vector's: from 1 to the model's layer count - 1.
  LayerState(int32_t layer, const ModelFacts& facts);
  LayerState(const LayerState&) = delete;
  LayerState& operator=(const LayerState&) = delete;
  ~LayerState() override = default;
  const char* Name() const override { return name_.c_str(); }
  int32_t Size(const ModelFacts& facts) const override { return facts.embedding_size; }
  // The context observes with this object, which outlives it.
  void Configure(llama_context_params& params, int32_t batch_size) override;
  void Prepare(llama_context* context, const llama_batch& batch) override;
  // Throws NativeError DECODE_FAILED where llama.cpp names no such state.
  const float* Row(llama_context* context, int32_t row_of_batch) const override;

 private:
  static bool Observe(ggml_tensor* tensor, bool asks, void* self);
  void Take(const ggml_tensor* tensor);

  std::string name_;
  std::string tensor_;
  size_t size_;
  size_t row_count_ = 0;         // of the batch
  std::vector<int32_t> wanted_;  // its rows that want output, ascending
  std::vector<float> values_;    // rows that came of it
};

}  // namespace eta
