#include "js/context.h"

#include "js/arguments.h"
#include "js/context_values.h"
#include "js/listener.h"
#include "js/typed_array.h"

namespace eta {

namespace {

struct Construction {
  std::shared_ptr<LoadedModel> model;
  std::shared_ptr<KvContext> context;
};

Napi::Value NumberToJs(Napi::Env env, int32_t& number, const Napi::Object&) { return Napi::Number::New(env, number); }

Napi::Value FloatsToJs(Napi::Env env, std::vector<float>& values, const Napi::Object&) {
  return TypedArrayOf<Napi::Float32Array>(env, values).As<Napi::Value>();
}

// Behind the last norm, or behind the layer that is named.
std::shared_ptr<Output> HiddenStateOutput(const Napi::Value& layer, const ModelFacts& facts) {
  if (layer.IsUndefined()) return std::make_shared<HiddenState>();
  if (!facts.ForksAnywhere()) {
    throw arguments::Invalid(layer.Env(), "layer", "no layer of a model that keeps a running state", layer);
  }
  return std::make_shared<LayerState>(ReadLayer(layer, "layer", facts), facts);
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
  void Deliver() override {}

 private:
  std::shared_ptr<LoadedModel> model_;
  std::shared_ptr<KvContext> context_;
};

}  // namespace

// A context with logits draws tokens, one with hidden states has heads of its own: two classes, which share the rest.
void Context::Register(Napi::Env env) {
  const std::vector<Napi::ClassPropertyDescriptor<Context>> shared = {
      InstanceMethod<&Context::Checked<&Context::CreateSequence>>("createSequence"),
      InstanceMethod<&Context::Checked<&Context::Append>>("append"),
      InstanceMethod<&Context::Checked<&Context::Fork>>("fork"),
      InstanceMethod<&Context::Checked<&Context::Trim>>("trim"),
      InstanceMethod<&Context::Checked<&Context::Release>>("release"),
      InstanceMethod<&Context::Checked<&Context::Run>>("run"),
      InstanceMethod<&Context::Checked<&Context::Interrupt>>("interrupt"),
      InstanceMethod<&Context::Checked<&Context::Sequence>>("sequence"),
      InstanceMethod<&Context::Checked<&Context::Save>>("save"),
      InstanceMethod<&Context::Checked<&Context::Restore>>("restore"),
      InstanceMethod<&Context::Checked<&Context::Statistics>>("statistics"),
      InstanceMethod<&Context::Checked<&Context::Dispose>>("dispose"),
  };
  std::vector<Napi::ClassPropertyDescriptor<Context>> with_logits = shared;
  with_logits.push_back(InstanceMethod<&Context::Checked<&Context::SetSampler>>("setSampler"));
  with_logits.push_back(InstanceMethod<&Context::Checked<&Context::CreateTokenSet>>("createTokenSet"));
  with_logits.push_back(InstanceMethod<&Context::Checked<&Context::Output>>("logits"));
  std::vector<Napi::ClassPropertyDescriptor<Context>> with_hidden_state = shared;
  with_hidden_state.push_back(InstanceMethod<&Context::Checked<&Context::Output>>("hiddenState"));
  Environment& environment = Environment::Of(env);
  environment.logits_context_class = Napi::Persistent(DefineClass(env, "NativeLogitsContext", with_logits));
  environment.hidden_state_context_class =
      Napi::Persistent(DefineClass(env, "NativeHiddenStateContext", with_hidden_state));
}

Napi::Value Context::Create(Napi::Env env, const Napi::Object& model_object, const std::shared_ptr<LoadedModel>& model,
                            const Napi::Value& options) {
  ContextSettings settings = ReadContextSettings(options, model->Facts());
  constexpr const char* kOutputs[] = {"logits", "hidden-state"};
  const char* output =
      kOutputs[arguments::Choice(options.As<Napi::Object>().Get("output"), "output", {kOutputs[0], kOutputs[1]})];
  auto kind = &Environment::logits_context_class;
  settings.output = std::make_shared<Logits>();
  if (output == kOutputs[1]) {
    kind = &Environment::hidden_state_context_class;
    settings.output = HiddenStateOutput(options.As<Napi::Object>().Get("layer"), model->Facts());
  }
  return Queue<std::shared_ptr<KvContext>>(
      env, model_object, model->Thread(), ErrorCode::kContextFailed,
      [model, settings] { return KvContext::Create(*model, settings); },
      [model, kind, output](Napi::Env env, std::shared_ptr<KvContext>& context, const Napi::Object& model_object) {
        Construction construction{model, context};
        Napi::Object object = (Environment::Of(env).*kind).New({Napi::External<Construction>::New(env, &construction)});
        object.DefineProperties({
            Napi::PropertyDescriptor::Value("output", Napi::String::New(env, output), napi_enumerable),
            Napi::PropertyDescriptor::Value("facts", ContextFactsToJs(env, context->Facts()), napi_enumerable),
        });
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
                           typename PromiseJob<Result>::ConvertFunction convert, ErrorCode failure) {
  // The work holds what it needs: `this` may be disposed of, even collected, before its turn.
  return Queue<Result>(
      info.Env(), info.This().As<Napi::Object>(), model_->Thread(), failure,
      [model = model_, context = context_, work = std::move(work)] { return work(*context); }, std::move(convert));
}

Napi::Value Context::CreateSequence(const Napi::CallbackInfo& info) {
  return Later<int32_t>(info, [](KvContext& context) { return context.CreateSequence(); }, NumberToJs);
}

Napi::Value Context::Append(const Napi::CallbackInfo& info) {
  const int32_t id = ReadSequenceId(info[0]);
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
  const int32_t id = ReadSequenceId(info[0]);
  const auto count = ReadCount(info[1], "count");
  return Later<std::vector<int32_t>>(
      info, [id, count](KvContext& context) { return context.Fork(id, count); },
      [](Napi::Env env, std::vector<int32_t>& ids, const Napi::Object&) {
        return TypedArrayOf<Napi::Int32Array>(env, ids).As<Napi::Value>();
      });
}

Napi::Value Context::SetSampler(const Napi::CallbackInfo& info) {
  const int32_t id = ReadSequenceId(info[0]);
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
  const int32_t id = ReadSequenceId(info[0]);
  const auto count = ReadCount(info[1], "tokenCount");
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
  for (uint32_t i = 0; i < count; i++) ids.push_back(ReadSequenceId(array.Get(i)));
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
  const Napi::Value on_report = info[0].As<Napi::Object>().Get("onReport");
  if (on_report.IsFunction()) {
    const auto listener = std::make_shared<Listener>(Environment::Of(info.Env()), on_report.As<Napi::Function>());
    request.tell = [listener](RunReport report) {
      listener->Tell([report = std::move(report)](Napi::Env env) { return ReportToJs(env, report).As<Napi::Value>(); });
    };
  } else if (!on_report.IsUndefined()) {
    throw arguments::Invalid(info.Env(), "onReport", "a function", on_report);
  }
  return Later<RunReport>(
      info, [request = std::move(request)](KvContext& context) { return context.Run(request); },
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

Napi::Value Context::Output(const Napi::CallbackInfo& info) {
  const int32_t id = ReadSequenceId(info[0]);
  return Later<std::vector<float>>(info, [id](KvContext& context) { return context.CopyOutput(id); }, FloatsToJs);
}

Napi::Value Context::Sequence(const Napi::CallbackInfo& info) {
  const int32_t id = ReadSequenceId(info[0]);
  return Later<SequenceFacts>(
      info, [id](KvContext& context) { return context.Describe(id); },
      [](Napi::Env env, SequenceFacts& facts, const Napi::Object&) { return SequenceFactsToJs(env, facts); });
}

Napi::Value Context::Save(const Napi::CallbackInfo& info) {
  const int32_t id = ReadSequenceId(info[0]);
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
        return StatisticsToJs(env, statistics);
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
