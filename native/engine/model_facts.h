#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "llama.h"

namespace eta {

// What never changes after loading; read from any thread.
struct ModelFacts {
  std::string description;
  std::string architecture;
  uint64_t size_bytes = 0;
  uint64_t parameter_count = 0;
  int32_t vocabulary_size = 0;
  int32_t embedding_size = 0;        // of its own layers
  int32_t input_embedding_size = 0;  // of image rows; larger where a model takes several layers' worth
  int32_t layer_count = 0;
  int32_t trained_context_length = 0;
  int32_t sliding_window = 0;
  llama_token begin_token = LLAMA_TOKEN_NULL;
  llama_token end_token = LLAMA_TOKEN_NULL;
  llama_token end_of_turn_token = LLAMA_TOKEN_NULL;
  bool adds_begin_token = false;
  std::vector<llama_token> end_of_generation_tokens;
  bool is_recurrent = false;
  bool is_hybrid = false;
  bool has_chat_template = false;
  std::string chat_template;
  std::string begin_text;
  std::string end_text;
  bool has_vision = false;
  bool uses_mrope = false;
  bool uses_non_causal_images = false;
  std::map<std::string, std::string> metadata;

  bool ForksAnywhere() const { return !is_recurrent && !is_hybrid; }
};

// Reads facts from llama.cpp; the vision fields are filled by the caller.
ModelFacts ReadFacts(const llama_model* model);

}  // namespace eta
