#include "js/context_values.h"

#include <algorithm>
#include <cstring>

#include "js/arguments.h"
#include "js/image.h"

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
        pause_set(Napi::String::New(env, "pauseSet")) {}
  Napi::String sequence;
  Napi::String max_tokens;
  Napi::String pause_set;
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
  return entry_read;
}

// Strings that every result of a run has: made once a report.
struct ResultKeys {
  explicit ResultKeys(Napi::Env env)
      : sequence(Napi::String::New(env, "sequence")),
        state(Napi::String::New(env, "state")),
        tokens(Napi::String::New(env, "tokens")),
        log_probabilities(Napi::String::New(env, "logProbabilities")),
        token_count(Napi::String::New(env, "tokenCount")),
        pending_count(Napi::String::New(env, "pendingCount")),
        position(Napi::String::New(env, "position")),
        running(Napi::String::New(env, StateName(SequenceState::kRunning))) {}
  Napi::String sequence;
  Napi::String state;
  Napi::String tokens;
  Napi::String log_probabilities;
  Napi::String token_count;
  Napi::String pending_count;
  Napi::String position;
  Napi::String running;  // what nearly all of them are
};

// Views of one buffer, one for each result: a buffer each would take longer than all else of a report.
template <typename Array, typename Value>
class SharedArrays {
 public:
  SharedArrays(Napi::Env env, const RunReport& report, std::vector<Value> RunResult::* values)
      : env_(env), values_(values) {
    size_t count = 0;
    for (const RunResult& result : report.results) count += (result.*values).size();
    buffer_ = Napi::ArrayBuffer::New(env, count * sizeof(Value));
    none_ = Array::New(env, 0, buffer_, 0);
  }
  Array Next(const RunResult& result) {
    const std::vector<Value>& values = result.*values_;
    if (values.empty()) return none_;
    const size_t start = at_;
    at_ += values.size() * sizeof(Value);
    std::memcpy(static_cast<uint8_t*>(buffer_.Data()) + start, values.data(), at_ - start);
    return Array::New(env_, values.size(), buffer_, start);
  }

 private:
  Napi::Env env_;
  std::vector<Value> RunResult::* values_;
  Napi::ArrayBuffer buffer_;
  Array none_;
  size_t at_ = 0;
};

}  // namespace

ContextSettings ReadContextSettings(const Napi::Value& value) {
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
  const ResultKeys keys(env);
  SharedArrays<Napi::Int32Array, llama_token> tokens(env, report, &RunResult::tokens);
  SharedArrays<Napi::Float32Array, float> log_probabilities(env, report, &RunResult::log_probabilities);
  Napi::Array results = Napi::Array::New(env, report.results.size());
  for (uint32_t i = 0; i < report.results.size(); i++) {
    const RunResult& result = report.results[i];
    const bool is_running = result.state == SequenceState::kRunning;
    Napi::Object object = Napi::Object::New(env);
    object.Set(keys.sequence, Napi::Number::New(env, result.sequence));
    object.Set(keys.state, is_running ? keys.running : Napi::String::New(env, StateName(result.state)));
    object.Set(keys.tokens, tokens.Next(result));
    object.Set(keys.log_probabilities, log_probabilities.Next(result));
    object.Set(keys.token_count, Napi::Number::New(env, result.facts.token_count));
    object.Set(keys.pending_count, Napi::Number::New(env, result.facts.pending_count));
    object.Set(keys.position, Napi::Number::New(env, result.facts.position));
    results.Set(i, object);
  }
  Napi::Object object = Napi::Object::New(env);
  object["results"] = results;
  object["stepCount"] = report.step_count;
  object["rowCount"] = report.row_count;
  object["sharedRowCount"] = report.shared_row_count;
  object["decodeMs"] = report.decode_ms;
  object["sampleMs"] = report.sample_ms;
  object["wasInterrupted"] = report.was_interrupted;
  return object;
}

}  // namespace eta
