#include "engine/output.h"

#include <algorithm>

#include "engine/native_error.h"
#include "ggml-backend.h"

namespace eta {

// llama.cpp asks for one row of every lane at least, and gives logits unless it is told otherwise.
void Logits::Configure(llama_context_params& params, int32_t) { params.n_outputs_max = params.n_seq_max; }

void Logits::Prepare(llama_context*, const llama_batch&) {}

const float* Logits::Row(llama_context* context, int32_t row_of_batch) const {
  return llama_get_logits_ith(context, row_of_batch);
}

void HiddenState::Configure(llama_context_params& params, int32_t batch_size) {
  params.n_outputs_max = std::max(static_cast<uint32_t>(batch_size), params.n_seq_max);
  params.embeddings = true;
}

// llama.cpp computes the output of every row of the batch then, so it is asked only where one is wanted.
void HiddenState::Prepare(llama_context* context, const llama_batch& batch) {
  int8_t* const end = batch.logits + batch.n_tokens;
  llama_set_embeddings(context, std::find(batch.logits, end, 1) != end);
}

const float* HiddenState::Row(llama_context* context, int32_t row_of_batch) const {
  return llama_get_embeddings_ith(context, row_of_batch);
}

LayerState::LayerState(int32_t layer, const ModelFacts& facts)
    : name_("hidden state behind layer " + std::to_string(layer)),
      tensor_("l_out-" + std::to_string(layer)),
      size_(static_cast<size_t>(facts.embedding_size)) {}

void LayerState::Configure(llama_context_params& params, int32_t) {
  params.n_outputs_max = params.n_seq_max;
  params.cb_eval = Observe;
  params.cb_eval_user_data = this;
}

// All memory is taken here: nothing may be thrown through llama.cpp.
void LayerState::Prepare(llama_context*, const llama_batch& batch) {
  row_count_ = static_cast<size_t>(batch.n_tokens);
  wanted_.clear();
  for (int32_t row = 0; row < batch.n_tokens; row++) {
    if (batch.logits[row] != 0) wanted_.push_back(row);
  }
  values_.clear();
  values_.reserve(row_count_ * size_);
}

// ggml asks before it computes a tensor, and tells when it has.
bool LayerState::Observe(ggml_tensor* tensor, bool asks, void* self) {
  auto* state = static_cast<LayerState*>(self);
  if (asks) return state->tensor_ == tensor->name;
  state->Take(tensor);
  return true;
}

// One micro batch's rows, behind those of the earlier ones. What is not a row for each token is left where it is.
void LayerState::Take(const ggml_tensor* tensor) {
  const auto count = static_cast<size_t>(ggml_nelements(tensor));
  const bool is_rows = tensor->type == GGML_TYPE_F32 && ggml_is_contiguous(tensor) && count % size_ == 0 &&
                       static_cast<size_t>(tensor->ne[0]) == size_;
  const size_t before = values_.size();
  if (!is_rows || before + count > row_count_ * size_) return;
  values_.resize(before + count);
  ggml_backend_tensor_get(tensor, values_.data() + before, 0, count * sizeof(float));
}

// Behind its last layer llama.cpp computes the rows alone that want output.
const float* LayerState::Row(llama_context*, int32_t row_of_batch) const {
  const size_t count = values_.size() / size_;
  if (count == row_count_) return values_.data() + row_of_batch * size_;
  const auto wanted = std::find(wanted_.begin(), wanted_.end(), row_of_batch);
  if (count != wanted_.size() || wanted == wanted_.end()) {
    throw NativeError(ErrorCode::kDecodeFailed, "Expected the " + name_ +
                                                    " from llama.cpp but received none: its code for models of this "
                                                    "architecture names no such state. Take the hidden state of "
                                                    "another model.");
  }
  return values_.data() + (wanted - wanted_.begin()) * size_;
}

}  // namespace eta
