#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/model_facts.h"
#include "llama.h"

namespace eta {

// What the model made of a row: logits [vocabulary_size], or the hidden state behind the last norm [embedding_size].
using OutputRow = std::shared_ptr<const std::vector<float>>;

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
