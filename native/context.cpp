#include "context.h"

#include "arguments.h"
#include "image.h"
#include "run.h"
#include "task.h"

namespace eta {

namespace {

constexpr int64_t kMaxId = INT32_MAX;

struct Construction {
  std::shared_ptr<LoadedModel> model;
  std::shared_ptr<KvContext> context;
};

int32_t Count(const Napi::Object& options, const char* name, int64_t min, int64_t max) {
  return static_cast<int32_t>(arguments::Integer(options.Get(name), name, min, max));
}

ContextSettings ReadSettings(const Napi::Value& value) {
  const Napi::Object options = arguments::Object(value, "options");
  ContextSettings settings;
  settings.cell_count = Count(options, "cellCount", 1, 1 << 28);
  settings.sequence_count = Count(options, "sequenceCount", 1, 256);
  settings.batch_size = Count(options, "batchSize", 1, 1 << 16);
  settings.micro_batch_size = Count(options, "microBatchSize", 1, settings.batch_size);
  settings.thread_count = Count(options, "threadCount", 1, 512);
  constexpr llama_flash_attn_type kFlashAttention[] = {LLAMA_FLASH_ATTN_TYPE_AUTO, LLAMA_FLASH_ATTN_TYPE_ENABLED,
                                                       LLAMA_FLASH_ATTN_TYPE_DISABLED};
  settings.flash_attention =
      kFlashAttention[arguments::Choice(options.Get("flashAttention"), "flashAttention", {"auto", "on", "off"})];
  constexpr ggml_type kCacheTypes[] = {GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_Q8_0};
  settings.cache_type = kCacheTypes[arguments::Choice(options.Get("cacheType"), "cacheType", {"f32", "f16", "q8_0"})];
  settings.reads_hidden_state = arguments::Choice(options.Get("output"), "output", {"logits", "hidden-state"}) == 1;
  return settings;
}

SamplerSettings ReadSampler(const Napi::Value& value) {
  const Napi::Object options = arguments::Object(value, "options");
  SamplerSettings settings;
  settings.temperature = static_cast<float>(arguments::Number(options.Get("temperature"), "temperature", 0, 1e6));
  settings.top_k = Count(options, "topK", 0, kMaxId);
  settings.top_p = static_cast<float>(arguments::Number(options.Get("topP"), "topP", 1e-9, 1));
  settings.min_p = static_cast<float>(arguments::Number(options.Get("minP"), "minP", 0, 1));
  settings.seed = static_cast<uint32_t>(arguments::Integer(options.Get("seed"), "seed", 0, UINT32_MAX));
  return settings;
}

int32_t ReadSequence(const Napi::Value& value) {
  return static_cast<int32_t>(arguments::Integer(value, "sequence", 0, kMaxId));
}

RunRequest ReadRun(const Napi::Value& value) {
  const Napi::Object options = arguments::Object(value, "options");
  const Napi::Array entries = arguments::Array(options.Get("entries"), "entries");
  RunRequest request;
  const uint32_t count = entries.Length();  // read once: reading an entry may run JavaScript that appends
  for (uint32_t i = 0; i < count; i++) {
    const std::string name = "entries[" + std::to_string(i) + "]";
    const Napi::Object entry = arguments::Object(entries.Get(i), name);
    RunEntry read;
    read.sequence = static_cast<int32_t>(arguments::Integer(entry.Get("sequence"), name + ".sequence", 0, kMaxId));
    read.max_tokens = static_cast<int32_t>(arguments::Integer(entry.Get("maxTokens"), name + ".maxTokens", 0, kMaxId));
    read.pause_set = static_cast<int32_t>(arguments::Integer(entry.Get("pauseSet"), name + ".pauseSet", -1, kMaxId));
    request.entries.push_back(read);
  }
  request.step_budget = Count(options, "stepBudget", 1, kMaxId);
  return request;
}

std::vector<PendingItem> ReadParts(const Napi::Value& value, const LoadedModel& model) {
  const Napi::Env env = value.Env();
  const Napi::Array parts = arguments::Array(value, "parts");
  std::vector<PendingItem> items;
  const auto add_tokens = [&items](const std::vector<llama_token>& tokens) {
    for (const llama_token token : tokens) items.push_back(PendingItem{token, nullptr});
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

Napi::Object FactsToJs(Napi::Env env, const ContextFacts& facts) {
  Napi::Object object = Napi::Object::New(env);
  object["cellCount"] = facts.cell_count;
  object["sequenceCount"] = facts.sequence_count;
  object["batchSize"] = facts.batch_size;
  object["microBatchSize"] = facts.micro_batch_size;
  object["forksAnywhere"] = facts.forks_anywhere;
  return object;
}

Napi::Value ReportToJs(Napi::Env env, RunReport& report) {
  Napi::Array results = Napi::Array::New(env, report.results.size());
  for (uint32_t i = 0; i < report.results.size(); i++) {
    const RunResult& result = report.results[i];
    Napi::Object object = Napi::Object::New(env);
    object["sequence"] = result.sequence;
    object["state"] = StateName(result.state);
    object["tokens"] = arguments::ToJs(env, result.tokens);
    object["logProbabilities"] = arguments::ToJs(env, result.log_probabilities);
    object["tokenCount"] = result.facts.token_count;
    object["pendingCount"] = result.facts.pending_count;
    object["position"] = result.facts.position;
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

Napi::Value NumberToJs(Napi::Env env, int32_t& number, const Napi::Object&) { return Napi::Number::New(env, number); }

Napi::Value FloatsToJs(Napi::Env env, std::vector<float>& values, const Napi::Object&) {
  return arguments::ToJs(env, values).As<Napi::Value>();
}

class FreeContext final : public Job {
 public:
  FreeContext(std::shared_ptr<LoadedModel> model, std::shared_ptr<KvContext> context)
      : model_(std::move(model)), context_(std::move(context)) {}
  void Work() override {
    model_->RemoveContext(context_.get());
    context_->Free();
  }
  void Refuse(const NativeError&) override {}
  void Deliver(Napi::Env, Environment&) override {}

 private:
  std::shared_ptr<LoadedModel> model_;
  std::shared_ptr<KvContext> context_;
};

}  // namespace

void Context::Register(Napi::Env env) {
  Environment::Of(env).context_class = Napi::Persistent(DefineClass(
      env, "NativeContext",
      {
          InstanceMethod<&Context::Checked<&Context::CreateSequence>>("createSequence"),
          InstanceMethod<&Context::Checked<&Context::Append>>("append"),
          InstanceMethod<&Context::Checked<&Context::Fork>>("fork"),
          InstanceMethod<&Context::Checked<&Context::SetSampler>>("setSampler"),
          InstanceMethod<&Context::Checked<&Context::Trim>>("trim"),
          InstanceMethod<&Context::Checked<&Context::Release>>("release"),
          InstanceMethod<&Context::Checked<&Context::Run>>("run"),
          InstanceMethod<&Context::Checked<&Context::Interrupt>>("interrupt"),
          InstanceMethod<&Context::Checked<&Context::CreateTokenSet>>("createTokenSet"),
          InstanceMethod<&Context::Checked<&Context::Logits>>("logits"),
          InstanceMethod<&Context::Checked<&Context::HiddenState>>("hiddenState"),
          InstanceMethod<&Context::Checked<&Context::Sequence>>("sequence"),
          InstanceMethod<&Context::Checked<&Context::Save>>("save"),
          InstanceMethod<&Context::Checked<&Context::Restore>>("restore"),
          InstanceMethod<&Context::Checked<&Context::Statistics>>("statistics"),
          InstanceMethod<&Context::Checked<&Context::Dispose>>("dispose"),
      }));
}

Napi::Value Context::Create(Napi::Env env, const Napi::Object& model_object, const std::shared_ptr<LoadedModel>& model,
                            const Napi::Value& options) {
  const ContextSettings settings = ReadSettings(options);
  return Queue<std::shared_ptr<KvContext>>(
      env, model_object, model->Thread(), ErrorCode::kContextFailed, [model, settings] { return KvContext::Create(*model, settings); },
      [model](Napi::Env env, std::shared_ptr<KvContext>& context, const Napi::Object& model_object) {
        Construction construction{model, context};
        Napi::Object object =
            Environment::Of(env).context_class.New({Napi::External<Construction>::New(env, &construction)});
        object.DefineProperty(
            Napi::PropertyDescriptor::Value("facts", FactsToJs(env, context->Facts()), napi_enumerable));
        Context::Unwrap(object)->model_object_ = Napi::Persistent(model_object);
        return object.As<Napi::Value>();
      });
}

Context::Context(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Context>(info) {
  if (!info[0].IsExternal()) throw Napi::TypeError::New(info.Env(), "Contexts are made by createContext().");
  const Construction* construction = info[0].As<Napi::External<Construction>>().Data();
  model_ = construction->model;
  context_ = construction->context;
}

Context::~Context() {
  if (context_ == nullptr) return;
  context_->is_disposed = true;
  // Collected: nobody waits. A stopped thread has freed it already, or will.
  model_->Thread().Enqueue(std::make_unique<FreeContext>(model_, context_));
}

// Queues work on the context; every method below is one of these. The context is checked when its turn comes.
template <typename Result>
Napi::Value Context::Later(const Napi::CallbackInfo& info, std::function<Result(KvContext&)> work,
                           typename Task<Result>::ConvertFunction convert, ErrorCode failure) {
  // The work holds what it needs: `this` may be disposed of, even collected, before its turn.
  return Queue<Result>(
      info.Env(), info.This().As<Napi::Object>(), model_->Thread(), failure,
      [model = model_, context = context_, work = std::move(work)] { return work(*context); }, std::move(convert));
}

Napi::Value Context::CreateSequence(const Napi::CallbackInfo& info) {
  return Later<int32_t>(info, [](KvContext& context) { return context.CreateSequence(); }, NumberToJs);
}

Napi::Value Context::Append(const Napi::CallbackInfo& info) {
  const int32_t id = ReadSequence(info[0]);
  std::vector<PendingItem> items = ReadParts(info[1], *model_);
  return Later<Nothing>(
      info,
      [id, items = std::move(items)](KvContext& context) {
        context.Append(id, items);
        return Nothing();
      },
      ToUndefined);
}

Napi::Value Context::Fork(const Napi::CallbackInfo& info) {
  const int32_t id = ReadSequence(info[0]);
  const auto count = static_cast<int32_t>(arguments::Integer(info[1], "count", 0, kMaxId));
  return Later<std::vector<int32_t>>(
      info, [id, count](KvContext& context) { return context.Fork(id, count); },
      [](Napi::Env env, std::vector<int32_t>& ids, const Napi::Object&) {
        return arguments::ToJs(env, ids).As<Napi::Value>();
      });
}

Napi::Value Context::SetSampler(const Napi::CallbackInfo& info) {
  const int32_t id = ReadSequence(info[0]);
  const SamplerSettings settings = ReadSampler(info[1]);
  return Later<Nothing>(
      info,
      [id, settings](KvContext& context) {
        context.SetSampler(id, settings);
        return Nothing();
      },
      ToUndefined);
}

Napi::Value Context::Trim(const Napi::CallbackInfo& info) {
  const int32_t id = ReadSequence(info[0]);
  const auto count = static_cast<int32_t>(arguments::Integer(info[1], "tokenCount", 0, kMaxId));
  return Later<Nothing>(
      info,
      [id, count](KvContext& context) {
        context.Trim(id, count);
        return Nothing();
      },
      ToUndefined);
}

Napi::Value Context::Release(const Napi::CallbackInfo& info) {
  const Napi::Array array = arguments::Array(info[0], "sequences");
  std::vector<int32_t> ids;
  const uint32_t count = array.Length();
  for (uint32_t i = 0; i < count; i++) ids.push_back(ReadSequence(array.Get(i)));
  return Later<Nothing>(
      info,
      [ids](KvContext& context) {
        context.Release(ids);
        return Nothing();
      },
      ToUndefined);
}

Napi::Value Context::Run(const Napi::CallbackInfo& info) {
  RunRequest request = ReadRun(info[0]);
  request.ticket = ++last_ticket_;
  return Later<RunReport>(
      info, [request](KvContext& context) { return context.Run(request); },
      [](Napi::Env env, RunReport& report, const Napi::Object&) { return ReportToJs(env, report); },
      ErrorCode::kDecodeFailed);
}

Napi::Value Context::Interrupt(const Napi::CallbackInfo& info) {
  context_->interrupted_run = last_ticket_;
  return info.Env().Undefined();
}

Napi::Value Context::CreateTokenSet(const Napi::CallbackInfo& info) {
  std::vector<int32_t> tokens = arguments::Tokens(info[0], "tokens", model_->Facts().vocabulary_size);
  return Later<int32_t>(
      info, [tokens = std::move(tokens)](KvContext& context) { return context.CreateTokenSet(tokens); }, NumberToJs);
}

Napi::Value Context::Logits(const Napi::CallbackInfo& info) {
  const int32_t id = ReadSequence(info[0]);
  return Later<std::vector<float>>(info, [id](KvContext& context) { return context.CopyLogits(id); }, FloatsToJs);
}

Napi::Value Context::HiddenState(const Napi::CallbackInfo& info) {
  const int32_t id = ReadSequence(info[0]);
  return Later<std::vector<float>>(info, [id](KvContext& context) { return context.CopyHiddenState(id); }, FloatsToJs);
}

Napi::Value Context::Sequence(const Napi::CallbackInfo& info) {
  const int32_t id = ReadSequence(info[0]);
  return Later<SequenceFacts>(
      info, [id](KvContext& context) { return context.Describe(id); },
      [](Napi::Env env, SequenceFacts& facts, const Napi::Object&) {
        Napi::Object object = Napi::Object::New(env);
        object["tokenCount"] = facts.token_count;
        object["position"] = facts.position;
        object["pendingCount"] = facts.pending_count;
        object["hasOutput"] = facts.has_output;
        return object.As<Napi::Value>();
      });
}

Napi::Value Context::Save(const Napi::CallbackInfo& info) {
  const int32_t id = ReadSequence(info[0]);
  return Later<std::vector<uint8_t>>(
      info, [id](KvContext& context) { return context.Save(id); },
      [](Napi::Env env, std::vector<uint8_t>& bytes, const Napi::Object&) {
        Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, bytes.size());
        std::copy(bytes.begin(), bytes.end(), static_cast<uint8_t*>(buffer.Data()));
        return buffer.As<Napi::Value>();
      });
}

Napi::Value Context::Restore(const Napi::CallbackInfo& info) {
  std::vector<uint8_t> bytes = arguments::Bytes(info[0], "bytes");
  return Later<int32_t>(
      info, [bytes = std::move(bytes)](KvContext& context) { return context.Restore(bytes); }, NumberToJs);
}

Napi::Value Context::Statistics(const Napi::CallbackInfo& info) {
  return Later<ContextStatistics>(
      info, [](KvContext& context) { return context.Statistics(); },
      [](Napi::Env env, ContextStatistics& statistics, const Napi::Object&) {
        Napi::Object object = Napi::Object::New(env);
        object["usedCellCount"] = statistics.used_cell_count;
        object["liveSequenceCount"] = statistics.live_sequence_count;
        object["imageCount"] = statistics.image_count;
        object["stepCount"] = statistics.step_count;
        object["rowCount"] = statistics.row_count;
        object["forkCount"] = statistics.fork_count;
        return object.As<Napi::Value>();
      });
}

Napi::Value Context::Dispose(const Napi::CallbackInfo& info) {
  context_->is_disposed = true;
  // A disposed model frees its contexts: wait for that.
  if (model_->IsDisposed()) return QueueStop(info.Env(), info.This().As<Napi::Object>(), model_->Thread());
  return Queue<Nothing>(
      info.Env(), info.This().As<Napi::Object>(), model_->Thread(), ErrorCode::kContextFailed,
      [model = model_, context = context_] {
        model->RemoveContext(context.get());
        context->Free();
        return Nothing();
      },
      ToUndefined);
}

}  // namespace eta
