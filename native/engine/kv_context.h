#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/kv_cache.h"
#include "engine/loaded_model.h"
#include "engine/sequence.h"

namespace eta {

struct ContextStatistics {
  int32_t used_cell_count = 0;
  int32_t live_sequence_count = 0;
  double image_count = 0;
  double step_count = 0;
  double row_count = 0;
  double fork_count = 0;
  double decode_ms = 0;
  double sample_ms = 0;
  int32_t thread_count = 0;
};

struct SequenceFacts {
  int32_t token_count = 0;
  llama_pos position = 0;
  int32_t pending_count = 0;
  bool has_output = false;
};

struct RunRequest;
struct RunReport;

// A KV cache with its sequences. Everything but the atomics at the end runs on the model's thread.
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
  void Count(const RunReport& report);  // into the statistics
  int32_t CreateTokenSet(const std::vector<llama_token>& tokens);
  std::vector<float> CopyOutput(int32_t id);
  SequenceFacts Describe(int32_t id);
  std::vector<uint8_t> Save(int32_t id);
  int32_t Restore(const std::vector<uint8_t>& bytes);
  ContextStatistics Statistics();

  // What a run asks. The reference is good until a release.
  Sequence& Find(int32_t id);
  KvCache& Cache() { return *cache_; }
  const LoadedModel& Model() const { return model_; }
  int32_t TokenSetCount() const { return static_cast<int32_t>(token_sets_.size()); }
  bool IsInTokenSet(int32_t set, llama_token token) const { return token_sets_[set][token]; }
  // Which of an image and texts, of what waits, is decoded now. They take turns, also from one run to the next and
  // where one failed.
  bool IsTurnOfImage(bool has_image, bool has_text);
  void CheckAlive() const;
  bool IsEnding() const { return is_disposed || model_.Thread().IsStopping(); }

  // Any thread.
  std::atomic<bool> is_disposed{false};
  std::atomic<uint64_t> interrupted_run{0};  // runs up to this ticket end at their next step boundary

 private:
  class Newborns;

  KvContext(LoadedModel& model, const ContextSettings& settings);
  Sequence& NewSequence();
  void ReleaseOne(Sequence& sequence);
  uint64_t Fingerprint() const;

  LoadedModel& model_;  // outlives its contexts
  ContextSettings settings_;
  std::unique_ptr<KvCache> cache_;
  ContextFacts facts_;  // outlive the cache
  std::map<int32_t, Sequence> sequences_;
  std::vector<std::vector<bool>> token_sets_;  // [set][token]
  int32_t next_id_ = 1;
  ContextStatistics totals_;
  bool was_turn_of_image_ = false;
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
