#include "engine/output.h"

#include <algorithm>

namespace eta {

// llama.cpp asks for one row of every lane at least, and gives logits unless it is told otherwise.
void Logits::Configure(llama_context_params& params, int32_t) const { params.n_outputs_max = params.n_seq_max; }

void Logits::Prepare(llama_context*, const llama_batch&) const {}

const float* Logits::Row(llama_context* context, int32_t row_of_batch) const {
  return llama_get_logits_ith(context, row_of_batch);
}

void HiddenState::Configure(llama_context_params& params, int32_t batch_size) const {
  params.n_outputs_max = std::max(static_cast<uint32_t>(batch_size), params.n_seq_max);
  params.embeddings = true;
}

// llama.cpp computes the output of every row of the batch then, so it is asked only where one is wanted.
void HiddenState::Prepare(llama_context* context, const llama_batch& batch) const {
  int8_t* const end = batch.logits + batch.n_tokens;
  llama_set_embeddings(context, std::find(batch.logits, end, 1) != end);
}

const float* HiddenState::Row(llama_context* context, int32_t row_of_batch) const {
  return llama_get_embeddings_ith(context, row_of_batch);
}

}  // namespace eta
