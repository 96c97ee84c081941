#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <vector>

#include "engine/kv_context.h"

namespace eta {

struct RunEntry {
  int32_t sequence = 0;
  int32_t max_tokens = 0;
  int32_t pause_set = -1;
  // Another sequence, of which nothing is drawn: it takes the same tokens, and each is drawn from
  // logits + contrast_weight * (logits - its logits). 0: none.
  int32_t contrast = 0;
  float contrast_weight = 0;
};

// JavaScript knows them by their numbers.
enum class SequenceState : int32_t { kRunning, kReady, kLimit, kPaused, kEnded, kFull, kFailed };

struct RunResult {
  int32_t sequence = 0;
  SequenceState state = SequenceState::kRunning;
  std::vector<llama_token> tokens;
  std::vector<float> log_probabilities;  // where the sampler wants them
  SequenceFacts facts;
};

struct RunReport {
  std::vector<RunResult> results;
  int32_t step_count = 0;
  int32_t row_count = 0;
  int32_t shared_row_count = 0;
  int32_t image_count = 0;
  double decode_ms = 0;
  double sample_ms = 0;
  bool was_interrupted = false;
};

// NativeRunOptions, checked.
struct RunRequest {
  std::vector<RunEntry> entries;
  int32_t step_budget = 1;
  double budget_ms = 0;  // 0: none
  uint64_t ticket = 0;   // see KvContext::interrupted_run
  // Takes what a spent budget brought, and the run goes on with a new one. Empty: the run ends there.
  std::function<void(RunReport)> tell;
};

// One call of `run`: the loop over steps. There is no prefill phase and no decode phase; a sequence has rows pending,
// or it has an output: logits to draw from, where it has a sampler. The loop and its groups are in run.cpp, one step in
// step.cpp.
class Run {
 public:
  Run(KvContext& context, const RunRequest& request);  // throws before anything has changed
  RunReport Execute();

 private:
  class Attempt;
  struct Member {
    Sequence* sequence = nullptr;
    RunEntry entry;
    RunResult result;
    int32_t contrast = -1;     // the member that it is held against
    bool is_contrast = false;  // is one
  };
  // Members with equal content and the same next rows; they share these rows.
  struct Group {
    std::vector<Member*> members;
    int32_t row_count = 0;
    int32_t taken = 0;      // rows of it that are decoded now
    int32_t first_row = 0;  // of an image
    bool is_image = false;
    bool is_generating = false;
    OutputRow output;  // of its last row, where that ends an input
  };

  Member Admitted(const RunEntry& entry, bool draws);
  std::vector<llama_seq_id> LanesOf(const Group& group) const;
  static bool EndsAnInput(const Group& group);
  static bool IsReadWhole(const Group& group);
  bool IsOver() const;
  bool IsSpent() const;
  bool MayGoOn() const;
  RunReport TakeReport();
  bool HasBrought() const;
  void DrawFromOutput();
  void DrawToken(Member& member);
  // What a token is drawn from: the logits, or what the contrast makes of them.
  const float* LogitsOf(const Member& member);
  std::vector<Group> Plan();
  void TakeTurn();
  void DecodeTokens(std::vector<Group*>& groups);
  void DecodeImage(Group& group);
  bool Decode(const llama_batch& batch, const std::vector<Group*>& groups);
  const char* After() const;
  void Finish(Group& group, int32_t item_count, int32_t position_count);

  KvContext& context_;
  KvCache& cache_;
  const RunRequest& request_;
  std::vector<Member> members_;
  std::vector<float> contrasted_;  // [vocabulary_size], where a member has a contrast
  std::set<int32_t> seen_;         // sequences of the members
  RunReport report_;
  std::chrono::steady_clock::time_point started_at_ = std::chrono::steady_clock::now();
  double last_turn_ms_ = 0;
};

}  // namespace eta
