#include "engine/loaded_model.h"

#include <algorithm>

#include "engine/assertions.h"
#include "engine/device.h"
#include "engine/gguf_check.h"
#include "engine/kv_context.h"
#include "engine/log.h"

namespace eta {

namespace {

// The run of characters that Tokenizer allows, three times over. Taken from the system only as far as it is used.
constexpr size_t kTextStackBytes = size_t{256} << 20;

// Progress goes from 0 to 1 over both files; the language model takes most of it.
constexpr float kModelShare = 0.9f;

// What a load has to know of whoever waits for it. The part of one file goes from `offset` to `offset + share`.
struct Waiter {
  JobThread& thread;
  LoadProgress& progress;
  float offset;
  float share;
};

bool OnProgress(float fraction, void* data) {
  const Waiter& waiter = *static_cast<const Waiter*>(data);
  if (waiter.progress.is_cancelled || waiter.thread.IsStopping()) return false;
  if (waiter.progress.report) waiter.progress.report(waiter.offset + fraction * waiter.share);
  return true;
}

void CheckWanted(const ModelSettings& settings, const Waiter& waiter) {
  if (waiter.progress.is_cancelled) {
    throw NativeError(ErrorCode::kCancelled, "Loading " + settings.model_path + " was cancelled.");
  }
  if (waiter.thread.IsStopping()) {
    throw NativeError(ErrorCode::kDisposed, "The environment ended while the model was loading.");
  }
}

llama_load_mode LoadMode(const ModelSettings& settings) {
  if (settings.use_mmap) return settings.use_mlock ? LLAMA_LOAD_MODE_MMAP_MLOCK : LLAMA_LOAD_MODE_MMAP;
  return settings.use_mlock ? LLAMA_LOAD_MODE_MLOCK : LLAMA_LOAD_MODE_NONE;
}

// Null where none was named.
ggml_backend_dev_t NamedDevice(const ModelSettings& settings) {
  if (settings.device.empty()) return nullptr;
  ggml_backend_dev_t device = device::Find(settings.device);
  if (device != nullptr && ggml_backend_dev_type(device) != GGML_BACKEND_DEVICE_TYPE_CPU) return device;
  throw NativeError(ErrorCode::kInvalidArgument, "Expected the name of a device to put layers on but received " +
                                                     settings.device + ". For the CPU, ask for no layers on a device.");
}

llama_model_ptr LoadLanguageModel(const ModelSettings& settings, Waiter waiter) {
  const auto refuse = [&](const std::string& reason) {
    throw device::Failure("Cannot load the language model " + settings.model_path + ": " + reason,
                          ErrorCode::kModelLoadFailed);
  };
  ggml_backend_dev_t devices[] = {settings.gpu_layer_count == 0 ? nullptr : NamedDevice(settings), nullptr};
  llama_model_params params = llama_model_default_params();
  params.n_gpu_layers = settings.gpu_layer_count;
  if (settings.gpu_layer_count == 0 || devices[0] != nullptr) params.devices = devices;
  params.load_mode = LoadMode(settings);
  params.progress_callback = OnProgress;
  params.progress_callback_user_data = &waiter;
  const log::Capture capture;
  llama_model_ptr model;
  {
    const device::Reading reading;
    const assertions::Thrown thrown;
    model.reset(llama_model_load_from_file(settings.model_path.c_str(), params));
  }
  CheckWanted(settings, waiter);
  if (model == nullptr) refuse(capture.Reason("llama.cpp gave no reason"));
  if (llama_model_has_encoder(model.get()) || !llama_model_has_decoder(model.get()) ||
      llama_model_is_diffusion(model.get())) {
    refuse("expected a model that generates text token by token (decoder only), but this one does not.");
  }
  const llama_vocab* vocabulary = llama_model_get_vocab(model.get());
  if (llama_vocab_type(vocabulary) == LLAMA_VOCAB_TYPE_NONE || llama_vocab_n_tokens(vocabulary) < 1) {
    refuse("it has no vocabulary.");
  }
  return model;
}

std::unique_ptr<vision::Projector> LoadProjector(const ModelSettings& settings, const llama_model* model,
                                                 Waiter waiter) {
  vision::ProjectorOptions options;
  options.path = settings.projector_path;
  options.use_gpu = settings.projector_on_gpu;
  options.device = NamedDevice(settings);
  options.thread_count = settings.thread_count;
  options.on_progress = OnProgress;
  options.progress_data = &waiter;
  try {
    return std::make_unique<vision::Projector>(options, model);
  } catch (const NativeError&) {
    CheckWanted(settings, waiter);
    throw;
  }
}

}  // namespace

std::shared_ptr<LoadedModel> LoadedModel::Load(const ModelSettings& settings, const std::shared_ptr<JobThread>& thread,
                                               const std::shared_ptr<LoadProgress>& progress) {
  const bool has_projector = !settings.projector_path.empty();
  const Waiter waiter{*thread, *progress, 0, has_projector ? kModelShare : 1};
  CheckWanted(settings, waiter);
  CheckGguf(settings.model_path, false, ErrorCode::kModelLoadFailed);
  if (has_projector) CheckGguf(settings.projector_path, true, ErrorCode::kProjectorLoadFailed);

  device::RenewLost();
  if (settings.gpu_layer_count != 0 || (has_projector && settings.projector_on_gpu)) {
    device::Open(NamedDevice(settings));
  }
  std::shared_ptr<LoadedModel> loaded(new LoadedModel);
  loaded->settings_ = settings;
  loaded->thread_ = thread;
  loaded->model_ = LoadLanguageModel(settings, waiter);
  loaded->facts_ = ReadFacts(loaded->Model());
  if (has_projector) {
    loaded->projector_ =
        LoadProjector(settings, loaded->Model(), Waiter{*thread, *progress, kModelShare, 1 - kModelShare});
    loaded->facts_.has_vision = true;
    loaded->facts_.uses_mrope = loaded->projector_->UsesMrope();
    loaded->facts_.uses_non_causal_images = loaded->projector_->UsesNonCausalImages();
  }
  loaded->tokenizer_ = std::make_unique<Tokenizer>(loaded->Vocabulary(), loaded->facts_.metadata);
  loaded->most_token_bytes_ = loaded->tokenizer_->MostBytes();
  CheckWanted(settings, waiter);
  loaded->text_thread_ = JobThread::Start(thread->GetMailbox(), kTextStackBytes);
  return loaded;
}

void LoadedModel::AddContext(const std::shared_ptr<KvContext>& context) { contexts_.push_back(context); }

void LoadedModel::RemoveContext(const KvContext* context) {
  contexts_.erase(std::remove_if(contexts_.begin(), contexts_.end(),
                                 [context](const std::shared_ptr<KvContext>& entry) { return entry.get() == context; }),
                  contexts_.end());
}

void LoadedModel::Free() {
  text_thread_->Stop(nullptr);
  const std::lock_guard<std::mutex> lock(text_mutex_);  // its slice ends first
  for (const std::shared_ptr<KvContext>& context : contexts_) context->Free();
  contexts_.clear();
  projector_.reset();
  model_.reset();
}

bool LoadedModel::Read(TextReader& reader, bool* is_done) const {
  const std::lock_guard<std::mutex> lock(text_mutex_);
  if (text_thread_->IsStopping()) return false;
  *is_done = reader.ReadSlice(*tokenizer_);
  return true;
}

std::string LoadedModel::TokenBytes(llama_token token, bool render_special) const {
  std::string bytes(64, '\0');
  for (;;) {
    const int32_t size =
        llama_token_to_piece(Vocabulary(), token, bytes.data(), static_cast<int32_t>(bytes.size()), 0, render_special);
    if (size >= 0) {
      bytes.resize(size);
      return bytes;
    }
    bytes.resize(-size);
  }
}

TokenTable LoadedModel::AllTokenBytes(bool render_special) const {
  TokenTable table;
  table.starts.reserve(facts_.vocabulary_size + 1);
  for (llama_token token = 0; token < facts_.vocabulary_size; token++) {
    table.starts.push_back(static_cast<int32_t>(table.bytes.size()));
    const std::string bytes = TokenBytes(token, render_special);
    table.bytes.insert(table.bytes.end(), bytes.begin(), bytes.end());
    if (table.bytes.size() > INT32_MAX) {
      throw NativeError(ErrorCode::kModelLoadFailed, "The vocabulary's texts take more than 2 GiB.");
    }
  }
  table.starts.push_back(static_cast<int32_t>(table.bytes.size()));
  return table;
}

}  // namespace eta
