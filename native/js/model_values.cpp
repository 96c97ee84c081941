#include "js/model_values.h"

#include "js/arguments.h"
#include "js/typed_array.h"

namespace eta {

namespace {

Napi::Value TokenOrNull(Napi::Env env, llama_token token) {
  return token == LLAMA_TOKEN_NULL ? env.Null() : Napi::Number::New(env, token).As<Napi::Value>();
}

}  // namespace

ModelSettings ReadModelSettings(const Napi::Value& value) {
  const Napi::Object options = arguments::Object(value, "options");
  ModelSettings settings;
  settings.model_path = arguments::Text(options.Get("modelPath"), "modelPath");
  const Napi::Value projector = options.Get("projectorPath");
  if (!projector.IsUndefined()) settings.projector_path = arguments::Text(projector, "projectorPath");
  const Napi::Value device = options.Get("device");
  if (!device.IsUndefined()) settings.device = arguments::Text(device, "device");
  settings.gpu_layer_count =
      static_cast<int32_t>(arguments::Integer(options.Get("gpuLayerCount"), "gpuLayerCount", -1, 100000));
  settings.projector_on_gpu = arguments::Boolean(options.Get("projectorOnGpu"), "projectorOnGpu");
  settings.thread_count = static_cast<int32_t>(arguments::Integer(options.Get("threadCount"), "threadCount", 1, 512));
  settings.use_mmap = arguments::Boolean(options.Get("useMmap"), "useMmap");
  settings.use_mlock = arguments::Boolean(options.Get("useMlock"), "useMlock");
  return settings;
}

Napi::Object ModelFactsToJs(Napi::Env env, const ModelFacts& facts) {
  Napi::Object object = Napi::Object::New(env);
  object["description"] = facts.description;
  object["architecture"] = facts.architecture;
  object["sizeBytes"] = static_cast<double>(facts.size_bytes);
  object["parameterCount"] = static_cast<double>(facts.parameter_count);
  object["vocabularySize"] = facts.vocabulary_size;
  object["embeddingSize"] = facts.embedding_size;
  object["layerCount"] = facts.layer_count;
  object["trainedContextLength"] = facts.trained_context_length;
  object["slidingWindow"] = facts.sliding_window;
  object["beginToken"] = TokenOrNull(env, facts.begin_token);
  object["endToken"] = TokenOrNull(env, facts.end_token);
  object["endOfTurnToken"] = TokenOrNull(env, facts.end_of_turn_token);
  object["addsBeginToken"] = facts.adds_begin_token;
  object["endOfGenerationTokens"] = TypedArrayOf<Napi::Int32Array>(env, facts.end_of_generation_tokens);
  object["isRecurrent"] = facts.is_recurrent;
  object["isHybrid"] = facts.is_hybrid;
  object["chatTemplate"] =
      facts.has_chat_template ? Napi::String::New(env, facts.chat_template).As<Napi::Value>() : env.Null();
  object["beginText"] = facts.begin_text;
  object["endText"] = facts.end_text;
  object["hasVision"] = facts.has_vision;
  object["usesMrope"] = facts.uses_mrope;
  object["usesNonCausalImages"] = facts.uses_non_causal_images;
  Napi::Object metadata = Napi::Object::New(env);
  for (const auto& [key, text] : facts.metadata) metadata.Set(key, text);
  object["metadata"] = metadata;
  return object;
}

}  // namespace eta
