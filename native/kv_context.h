#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "llama-cpp.h"
#include "loaded_model.h"
#include "sequence.h"

namespace eta {

// NativeContextOptions, checked.
struct ContextSettings {
  int32_t cell_count = 0;
  int32_t sequence_count = 0;
  int32_t batch_size = 0;
  int32_t micro_batch_size = 0;
  int32_t thread_count = 1;
  llama_flash_attn_type flash_attention = LLAMA_FLASH_ATTN_TYPE_AUTO;
  ggml_type cache_type = GGML_TYPE_F16;
  bool reads_hidden_state = false;  // what a sequence keeps of its last row: the hidden state in place of the logits
};

struct ContextFacts {
  int32_t cell_count = 0;
  int32_t sequence_count = 0;
  int32_t batch_size = 0;
  int32_t micro_batch_size = 0;
  bool forks_anywhere = true;
};

struct ContextStatistics {
  int32_t used_cell_count = 0;
  int32_t live_sequence_count = 0;
  double image_count = 0;
  double step_count = 0;
  double row_count = 0;
  double fork_count = 0;
};

struct SequenceFacts {
  int32_t token_count = 0;
  llama_pos position = 0;
  int32_t pending_count = 0;
  bool has_output = false;
};

struct RunRequest;
struct RunReport;

// A llama.cpp context with its sequences. Everything but the atomics at the end runs on the model's thread.
class KvContext {
 public:
  static std::shared_ptr<KvContext> Create(LoadedModel& model, const ContextSettings& settings);
  void Free();

  const ContextFacts& Facts() const { return facts_; }

  int32_t CreateSequence();
  void Append(int32_t id, const std::vector<PendingItem>& items);
  std::vector<int32_t> Fork(int32_t id, int32_t count);
  void SetSampler(int32_t id, const SamplerSettings& settings);
  void Trim(int32_t id, int32_t token_count);
  void Release(const std::vector<int32_t>& ids);
  RunReport Run(const RunRequest& request);
  int32_t CreateTokenSet(const std::vector<llama_token>& tokens);
  std::vector<float> CopyLogits(int32_t id);
  std::vector<float> CopyHiddenState(int32_t id);
  SequenceFacts Describe(int32_t id);
  std::vector<uint8_t> Save(int32_t id);
  int32_t Restore(const std::vector<uint8_t>& bytes);
  ContextStatistics Statistics();

  // Any thread.
  std::atomic<bool> is_disposed{false};
  std::atomic<uint64_t> interrupted_run{0};  // runs up to this ticket end at their next step boundary

 private:
  friend class Run;

  KvContext(LoadedModel& model, const ContextSettings& settings);
  void CheckAlive() const;
  bool IsEnding() const { return is_disposed || model_.Thread().IsStopping(); }
  Sequence& Find(int32_t id);
  Sequence& NewSequence();
  void ReleaseOne(Sequence& sequence);
  void AddLanes(const Sequence& sequence, std::vector<llama_seq_id>& lanes) const;
  void ShareRows(llama_seq_id from, const Sequence& to);
  bool RemoveRows(const Sequence& sequence, llama_pos first);
  bool Rewind(Sequence& sequence);
  void Empty(Sequence& sequence);
  class Newborns;
  uint64_t NewContent() { return next_content_++; }
  uint64_t StateFingerprint() const;
  const std::vector<float>& Output(int32_t id, bool is_hidden_state);
  int32_t OutputSize() const;

  LoadedModel& model_;  // outlives its contexts
  ContextSettings settings_;
  ContextFacts facts_;
  llama_context_ptr context_;
  std::map<int32_t, Sequence> sequences_;
  std::vector<bool> lane_is_used_;
  // llama.cpp gives away a cell that has left the window of its only owner, though a trim may bring it back: under windowed
  // attention each sequence has a second lane, this much further, that owns whatever the first one does. 0 = none needed.
  llama_seq_id second_lane_ = 0;
  CellLedger cells_{0};
  std::vector<std::vector<bool>> token_sets_;  // [set][token]
  int32_t next_id_ = 1;
  uint64_t next_content_ = 1;  // 0 = empty
  ContextStatistics totals_;
  bool was_image_step_ = false;  // images and texts take turns, also from one run to the next and where one failed
};

// New sequences that somebody may still fail to get: unless they are kept, they are released.
class KvContext::Newborns {
 public:
  Newborns(KvContext& context, int32_t count) : context_(context) { sequences_.reserve(count); }
  Newborns(const Newborns&) = delete;
  Newborns& operator=(const Newborns&) = delete;
  ~Newborns() {
    for (Sequence* sequence : sequences_) context_.ReleaseOne(*sequence);
  }
  Sequence& Add() {
    sequences_.push_back(&context_.NewSequence());
    return *sequences_.back();
  }
  void Keep() { sequences_.clear(); }

 private:
  KvContext& context_;
  std::vector<Sequence*> sequences_;
};

}  // namespace eta
