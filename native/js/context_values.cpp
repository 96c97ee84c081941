#include "js/context_values.h"

#include <algorithm>

#include "js/arguments.h"
#include "js/image.h"
#include "js/typed_array.h"

namespace eta {

namespace {

constexpr int64_t kMaxId = INT32_MAX;

int32_t Count(const Napi::Object& options, const char* name, int64_t min, int64_t max) {
  return static_cast<int32_t>(arguments::Integer(options.Get(name), name, min, max));
}

// Strings that every entry of a run is asked for: made once a call.
struct EntryKeys {
  explicit EntryKeys(Napi::Env env)
      : sequence(Napi::String::New(env, "sequence")),
        max_tokens(Napi::String::New(env, "maxTokens")),
        pause_set(Napi::String::New(env, "pauseSet")),
        contrast(Napi::String::New(env, "contrast")) {}
  Napi::String sequence;
  Napi::String max_tokens;
  Napi::String pause_set;
  Napi::String contrast;
};

RunEntry ReadEntry(const Napi::Value& value, uint32_t index, const EntryKeys& keys) {
  const auto name = [index] { return "entries[" + std::to_string(index) + "]"; };  // for messages alone
  if (!value.IsObject()) static_cast<void>(arguments::Object(value, name()));
  const auto entry = value.As<Napi::Object>();
  const auto number = [&entry, &name](const Napi::String& key, int64_t min) {
    const Napi::Value read = entry.Get(key);
    if (!arguments::IsInteger(read, min, kMaxId)) arguments::Integer(read, name() + "." + key.Utf8Value(), min, kMaxId);
    return read.As<Napi::Number>().Int32Value();
  };
  RunEntry entry_read;
  entry_read.sequence = number(keys.sequence, 0);
  entry_read.max_tokens = number(keys.max_tokens, 0);
  entry_read.pause_set = number(keys.pause_set, -1);
  const Napi::Value contrast = entry.Get(keys.contrast);
  if (!contrast.IsUndefined()) {
    const Napi::Object against = arguments::Object(contrast, name() + ".contrast");
    entry_read.contrast =
        static_cast<int32_t>(arguments::Integer(against.Get("sequence"), name() + ".contrast.sequence", 1, kMaxId));
    entry_read.contrast_weight =
        static_cast<float>(arguments::Number(against.Get("weight"), name() + ".contrast.weight", 0, 1e6));
  }
  return entry_read;
}

Steering ReadSteering(const Napi::Value& value, const ModelFacts& facts) {
  const Napi::Object steering = arguments::Object(value, "steering");
  return {ReadLayer(steering.Get("layer"), "steering.layer", facts),
          arguments::Floats(steering.Get("vector"), "steering.vector", facts.embedding_size)};
}

// In the order of src/native/run-results.ts, which reads them.
constexpr size_t kRowLength = 7;
void AddRow(const RunResult& result, std::vector<int32_t>& rows) {
  rows.insert(rows.end(),
              {result.sequence, static_cast<int32_t>(result.state), result.facts.token_count,
               result.facts.pending_count, result.facts.position, static_cast<int32_t>(result.tokens.size()),
               static_cast<int32_t>(result.log_probabilities.size())});
}

}  // namespace

int32_t ReadLayer(const Napi::Value& value, const char* name, const ModelFacts& facts) {
  if (facts.layer_count < 2) throw arguments::Invalid(value.Env(), name, "no layer of a model of one layer", value);
  return static_cast<int32_t>(arguments::Integer(value, name, 1, facts.layer_count - 1));
}

ContextSettings ReadContextSettings(const Napi::Value& value, const ModelFacts& facts) {
  const Napi::Object options = arguments::Object(value, "options");
  ContextSettings settings;
  settings.cell_count = Count(options, "cellCount", 1, 1 << 28);
  settings.sequence_count = Count(options, "sequenceCount", 1, 256);
  settings.batch_size = Count(options, "batchSize", 1, 1 << 16);
  settings.micro_batch_size = Count(options, "microBatchSize", 1, settings.batch_size);
  settings.thread_count = Count(options, "threadCount", 1, 512);
  settings.measures_threads = arguments::Boolean(options.Get("measuresThreads"), "measuresThreads");
  constexpr llama_flash_attn_type kFlashAttention[] = {LLAMA_FLASH_ATTN_TYPE_AUTO, LLAMA_FLASH_ATTN_TYPE_ENABLED,
                                                       LLAMA_FLASH_ATTN_TYPE_DISABLED};
  settings.flash_attention =
      kFlashAttention[arguments::Choice(options.Get("flashAttention"), "flashAttention", {"auto", "on", "off"})];
  constexpr ggml_type kCacheTypes[] = {GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_Q8_0};
  settings.cache_type = kCacheTypes[arguments::Choice(options.Get("cacheType"), "cacheType", {"f32", "f16", "q8_0"})];
  const Napi::Value steering = options.Get("steering");
  if (!steering.IsUndefined()) settings.steering = ReadSteering(steering, facts);
  return settings;
}

SamplerSettings ReadSampler(const Napi::Value& value) {
  const Napi::Object options = arguments::Object(value, "options");
  SamplerSettings settings;
  settings.temperature = static_cast<float>(arguments::Number(options.Get("temperature"), "temperature", 0, 1e6));
  settings.top_k = Count(options, "topK", 0, kMaxId);
  settings.top_p = static_cast<float>(arguments::Number(options.Get("topP"), "topP", 1e-9, 1));
  settings.min_p = static_cast<float>(arguments::Number(options.Get("minP"), "minP", 0, 1));
  settings.wants_log_probability = arguments::Boolean(options.Get("wantsLogProbabilities"), "wantsLogProbabilities");
  settings.seed = static_cast<uint32_t>(arguments::Integer(options.Get("seed"), "seed", 0, UINT32_MAX));
  return settings;
}

int32_t ReadSequenceId(const Napi::Value& value) {
  return static_cast<int32_t>(arguments::Integer(value, "sequence", 0, kMaxId));
}

int32_t ReadCount(const Napi::Value& value, const char* name) {
  return static_cast<int32_t>(arguments::Integer(value, name, 0, kMaxId));
}

RunRequest ReadRun(const Napi::Value& value) {
  const Napi::Object options = arguments::Object(value, "options");
  const Napi::Array entries = arguments::Array(options.Get("entries"), "entries");
  const EntryKeys keys(value.Env());
  RunRequest request;
  const uint32_t count = entries.Length();  // read once: reading an entry may run JavaScript that appends
  request.entries.reserve(std::min<uint32_t>(count, 256));
  for (uint32_t i = 0; i < count; i++) request.entries.push_back(ReadEntry(entries.Get(i), i, keys));
  request.step_budget = Count(options, "stepBudget", 1, kMaxId);
  const Napi::Value budget_ms = options.Get("budgetMs");
  if (!budget_ms.IsUndefined()) request.budget_ms = arguments::Number(budget_ms, "budgetMs", 1, 1e9);
  return request;
}

std::vector<PendingItem> ReadParts(const Napi::Value& value, const LoadedModel& model) {
  const Napi::Env env = value.Env();
  const Napi::Array parts = arguments::Array(value, "parts");
  std::vector<PendingItem> items;
  const auto add_tokens = [&items](const std::vector<llama_token>& tokens) {
    for (const llama_token token : tokens) items.push_back(PendingItem{token});
  };
  const uint32_t count = parts.Length();
  for (uint32_t i = 0; i < count; i++) {
    const Napi::Value part = parts.Get(i);
    const std::string name = "parts[" + std::to_string(i) + "]";
    if (!Image::Is(part)) {
      if (!part.IsTypedArray()) throw arguments::Invalid(env, name, "an Int32Array of tokens or an image", part);
      add_tokens(arguments::Tokens(part, name, model.Facts().vocabulary_size));
      continue;
    }
    for (const auto& chunk : Image::Unwrap(part.As<Napi::Object>())->ChunksFor(env, model)) {
      if (chunk->embeddings.empty()) {
        add_tokens(chunk->tokens);
      } else {
        items.push_back(PendingItem{LLAMA_TOKEN_NULL, chunk});
      }
    }
  }
  return items;
}

Napi::Object ContextFactsToJs(Napi::Env env, const ContextFacts& facts) {
  Napi::Object object = Napi::Object::New(env);
  object["cellCount"] = facts.cell_count;
  object["sequenceCount"] = facts.sequence_count;
  object["batchSize"] = facts.batch_size;
  object["microBatchSize"] = facts.micro_batch_size;
  object["forksAnywhere"] = facts.forks_anywhere;
  return object;
}

Napi::Object SequenceFactsToJs(Napi::Env env, const SequenceFacts& facts) {
  Napi::Object object = Napi::Object::New(env);
  object["tokenCount"] = facts.token_count;
  object["position"] = facts.position;
  object["pendingCount"] = facts.pending_count;
  object["hasOutput"] = facts.has_output;
  return object;
}

Napi::Object StatisticsToJs(Napi::Env env, const ContextStatistics& statistics) {
  Napi::Object object = Napi::Object::New(env);
  object["usedCellCount"] = statistics.used_cell_count;
  object["liveSequenceCount"] = statistics.live_sequence_count;
  object["imageCount"] = statistics.image_count;
  object["stepCount"] = statistics.step_count;
  object["rowCount"] = statistics.row_count;
  object["forkCount"] = statistics.fork_count;
  object["decodeMs"] = statistics.decode_ms;
  object["sampleMs"] = statistics.sample_ms;
  object["threadCount"] = statistics.thread_count;
  return object;
}

Napi::Object ReportToJs(Napi::Env env, const RunReport& report) {
  // Three arrays for all sequences: an object for each would take longer to make than what a step takes besides
  // llama.cpp.
  std::vector<int32_t> rows;
  std::vector<llama_token> tokens;
  std::vector<float> log_probabilities;
  rows.reserve(report.results.size() * kRowLength);
  for (const RunResult& result : report.results) {
    AddRow(result, rows);
    tokens.insert(tokens.end(), result.tokens.begin(), result.tokens.end());
    log_probabilities.insert(log_probabilities.end(), result.log_probabilities.begin(), result.log_probabilities.end());
  }
  Napi::Object object = Napi::Object::New(env);
  object["rows"] = TypedArrayOf<Napi::Int32Array>(env, rows);
  object["tokens"] = TypedArrayOf<Napi::Int32Array>(env, tokens);
  object["logProbabilities"] = TypedArrayOf<Napi::Float32Array>(env, log_probabilities);
  object["stepCount"] = report.step_count;
  object["rowCount"] = report.row_count;
  object["sharedRowCount"] = report.shared_row_count;
  object["decodeMs"] = report.decode_ms;
  object["sampleMs"] = report.sample_ms;
  object["wasInterrupted"] = report.was_interrupted;
  return object;
}

}  // namespace eta
