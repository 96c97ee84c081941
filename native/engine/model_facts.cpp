#include "engine/model_facts.h"

namespace eta {

namespace {

template <typename Read>
std::string ReadText(Read read) {
  std::string text(256, '\0');
  int32_t size = read(text.data(), text.size());
  if (size >= static_cast<int32_t>(text.size())) {
    text.resize(static_cast<size_t>(size) + 1);
    size = read(text.data(), text.size());
  }
  text.resize(size < 0 ? 0 : size);
  return text;
}

std::string TokenText(const llama_vocab* vocabulary, llama_token token) {
  const char* text = token == LLAMA_TOKEN_NULL ? nullptr : llama_vocab_get_text(vocabulary, token);
  return text == nullptr ? "" : text;
}

}  // namespace

ModelFacts ReadFacts(const llama_model* model) {
  const llama_vocab* vocabulary = llama_model_get_vocab(model);
  ModelFacts facts;
  facts.description = ReadText([&](char* out, size_t size) { return llama_model_desc(model, out, size); });
  for (int32_t i = 0; i < llama_model_meta_count(model); i++) {
    const std::string key =
        ReadText([&](char* out, size_t size) { return llama_model_meta_key_by_index(model, i, out, size); });
    facts.metadata[key] =
        ReadText([&](char* out, size_t size) { return llama_model_meta_val_str_by_index(model, i, out, size); });
  }
  facts.architecture = facts.metadata["general.architecture"];
  facts.size_bytes = llama_model_size(model);
  facts.parameter_count = llama_model_n_params(model);
  facts.vocabulary_size = llama_vocab_n_tokens(vocabulary);
  facts.embedding_size = llama_model_n_embd(model);
  facts.input_embedding_size = llama_model_n_embd_inp(model);
  facts.layer_count = llama_model_n_layer(model);
  facts.trained_context_length = llama_model_n_ctx_train(model);
  facts.sliding_window = llama_model_n_swa(model);
  facts.begin_token = llama_vocab_bos(vocabulary);
  facts.end_token = llama_vocab_eos(vocabulary);
  facts.end_of_turn_token = llama_vocab_eot(vocabulary);
  facts.adds_begin_token = llama_vocab_get_add_bos(vocabulary) && facts.begin_token != LLAMA_TOKEN_NULL;
  for (llama_token token = 0; token < facts.vocabulary_size; token++) {
    if (llama_vocab_is_eog(vocabulary, token)) facts.end_of_generation_tokens.push_back(token);
  }
  facts.is_recurrent = llama_model_is_recurrent(model);
  facts.is_hybrid = llama_model_is_hybrid(model);
  if (const char* chat_template = llama_model_chat_template(model, nullptr)) {
    facts.has_chat_template = true;
    facts.chat_template = chat_template;
  }
  facts.begin_text = TokenText(vocabulary, facts.begin_token);
  facts.end_text = TokenText(vocabulary, facts.end_token);
  return facts;
}

}  // namespace eta
