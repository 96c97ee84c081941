#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/job_thread.h"
#include "engine/model_facts.h"
#include "engine/text_reader.h"
#include "engine/vision.h"
#include "llama-cpp.h"

namespace eta {

class KvContext;

// NativeModelOptions, checked.
struct ModelSettings {
  std::string model_path;
  std::string projector_path;  // "" = text only
  std::string device;          // "" = llama.cpp's choice
  int32_t gpu_layer_count = 0;
  bool projector_on_gpu = false;
  int32_t thread_count = 1;
  bool use_mmap = true;
  bool use_mlock = false;
};

// The state of a load that both threads see.
struct LoadProgress {
  std::atomic<bool> is_cancelled{false};
  std::function<void(float)> report;  // called on the native thread
};

// What every token says, one behind the other.
struct TokenTable {
  std::vector<uint8_t> bytes;
  std::vector<int32_t> starts;  // token t is bytes[starts[t]] to bytes[starts[t + 1]]
};

// A language model and its projector. Made, used and freed on its thread; facts and vocabulary may be read anywhere.
class LoadedModel {
 public:
  // Throws NativeError MODEL_LOAD_FAILED, PROJECTOR_LOAD_FAILED, CANCELLED or DISPOSED.
  static std::shared_ptr<LoadedModel> Load(const ModelSettings& settings, const std::shared_ptr<JobThread>& thread,
                                           const std::shared_ptr<LoadProgress>& progress);

  const ModelFacts& Facts() const { return facts_; }
  JobThread& Thread() const { return *thread_; }
  // Where texts become tokens, so that they wait for no decode.
  JobThread& TextThread() const { return *text_thread_; }
  llama_model* Model() const { return model_.get(); }
  const llama_vocab* Vocabulary() const { return llama_model_get_vocab(model_.get()); }
  const std::unique_ptr<vision::Projector>& Projector() const { return projector_; }
  const ModelSettings& Settings() const { return settings_; }

  // JS thread. From here on every object of this model refuses.
  void MarkDisposed() { is_disposed_ = true; }
  bool IsDisposed() const { return is_disposed_; }

  // Model thread: contexts to free before the model.
  void AddContext(const std::shared_ptr<KvContext>& context);
  void RemoveContext(const KvContext* context);
  void Free();

  // Bytes of text that one token stands for at most; 0 where nothing can be said.
  size_t MostTokenBytes() const { return most_token_bytes_; }
  // Text thread. One slice of a text; false once the model is being freed.
  bool Read(TextReader& reader, bool* is_done) const;
  std::string TokenBytes(llama_token token, bool render_special) const;
  TokenTable AllTokenBytes(bool render_special) const;

 private:
  LoadedModel() = default;

  ModelSettings settings_;
  std::shared_ptr<JobThread> thread_;
  std::shared_ptr<JobThread> text_thread_;
  mutable std::mutex text_mutex_;  // held while the text thread uses the vocabulary
  llama_model_ptr model_;
  std::unique_ptr<Tokenizer> tokenizer_;
  size_t most_token_bytes_ = 0;
  std::unique_ptr<vision::Projector> projector_;
  ModelFacts facts_;
  std::vector<std::shared_ptr<KvContext>> contexts_;
  std::atomic<bool> is_disposed_{false};
};

}  // namespace eta
