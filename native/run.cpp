#include "run.h"

#include <algorithm>
#include <set>

#include "clock.h"

namespace eta {

namespace {

// Tokens at the front of the pending input, up to the next image.
int32_t LeadingTokenCount(const Sequence& sequence) {
  int32_t count = 0;
  for (const PendingItem& item : sequence.pending) {
    if (item.IsImage()) break;
    count++;
  }
  return count;
}

int32_t CommonTokenCount(const Sequence& a, const Sequence& b, int32_t limit) {
  const int32_t shortest = std::min({limit, static_cast<int32_t>(a.pending.size()), static_cast<int32_t>(b.pending.size())});
  int32_t count = 0;
  while (count < shortest && a.pending[count] == b.pending[count]) count++;
  return count;
}

}  // namespace

const char* StateName(SequenceState state) {
  switch (state) {
    case SequenceState::kRunning:
      return "running";
    case SequenceState::kReady:
      return "ready";
    case SequenceState::kLimit:
      return "limit";
    case SequenceState::kPaused:
      return "paused";
    case SequenceState::kEnded:
      return "ended";
    case SequenceState::kFull:
      return "full";
    default:
      return "failed";
  }
}

RunReport KvContext::Run(const RunRequest& request) {
  CheckAlive();
  return eta::Run(*this, request).Execute();
}

Run::Run(KvContext& context, const RunRequest& request) : context_(context), request_(request) {
  std::set<int32_t> seen;
  for (const RunEntry& entry : request.entries) {
    Sequence& sequence = context.Find(entry.sequence);
    const std::string name = "sequence " + std::to_string(entry.sequence);
    if (!seen.insert(entry.sequence).second) {
      throw NativeError(ErrorCode::kInvalidArgument, "Expected each sequence once in entries but " + name + " is there twice.");
    }
    if (entry.pause_set >= static_cast<int32_t>(context.token_sets_.size())) {
      throw NativeError(ErrorCode::kInvalidArgument, "Expected a pauseSet made by createTokenSet (or -1) for " + name +
                                                " but received " + std::to_string(entry.pause_set) + ".");
    }
    if (entry.max_tokens > 0 && !sequence.is_lost) {
      if (context.settings_.reads_hidden_state) {
        throw NativeError(ErrorCode::kInvalidArgument, "Expected maxTokens 0 for " + name +
                                                  " but received more: a context with output 'hidden-state' draws no tokens.");
      }
      if (!sequence.sampler.has_value()) {
        throw NativeError(ErrorCode::kInvalidArgument, "Expected a sampler for " + name + " but it has none. Call setSampler first.");
      }
      if (sequence.pending.empty() && sequence.output == nullptr) {
        throw NativeError(ErrorCode::kNothingToSample, "Expected logits or pending input for " + name +
                                                   " but it is empty or was trimmed. Append at least one token.");
      }
    }
    Lane lane{&sequence, entry, RunResult()};
    lane.result.sequence = entry.sequence;
    if (sequence.is_lost) lane.result.state = SequenceState::kFailed;
    const int64_t most = std::min<int64_t>({entry.max_tokens, int64_t{request.step_budget} + 1, context.facts_.cell_count + 1});
    lane.result.tokens.reserve(most);
    lane.result.log_probabilities.reserve(most);
    sequence.MakeRoom(0);
    lanes_.push_back(std::move(lane));
  }
  report_.results.reserve(lanes_.size());
}

RunReport Run::Execute() {
  for (;;) {
    DrawFromOutput();
    if (IsOver()) break;
    if (context_.interrupted_run >= request_.ticket) {
      report_.was_interrupted = true;
      break;
    }
    if (report_.step_count == request_.step_budget) break;
    context_.CheckAlive();
    if (context_.model_.Thread().IsStopping()) {
      throw NativeError(ErrorCode::kDisposed, "The model was disposed of during a run.");
    }
    try {
      Step();
    } catch (const NativeError& error) {
      if (error.Code() == ErrorCode::kDisposed || !HasBrought()) throw;
      break;
    } catch (const std::exception&) {
      if (!HasBrought()) throw;
      break;
    }
  }
  for (Lane& lane : lanes_) {
    lane.result.facts = context_.Describe(lane.entry.sequence);
    report_.results.push_back(std::move(lane.result));
  }
  context_.totals_.step_count += report_.step_count;
  context_.totals_.row_count += report_.row_count;
  return std::move(report_);
}

bool Run::IsOver() const {
  if (lanes_.empty()) return true;
  return std::any_of(lanes_.begin(), lanes_.end(),
                     [](const Lane& lane) { return lane.result.state != SequenceState::kRunning; });
}

// Whether earlier steps or draws must reach their owners, though a step failed: the next run fails in its first step.
bool Run::HasBrought() const {
  return report_.step_count > 0 ||
         std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return !lane.result.tokens.empty(); });
}

void Run::DrawFromOutput() {
  for (Lane& lane : lanes_) {
    if (lane.result.state != SequenceState::kRunning || !lane.sequence->pending.empty()) continue;
    if (lane.entry.max_tokens == 0) {
      lane.result.state = SequenceState::kReady;
    } else {
      DrawToken(lane);
    }
  }
}

// Draws one token. The logits stay with a sequence that ended or failed; otherwise the token waits to be decoded.
void Run::DrawToken(Lane& lane) {
  const auto start = std::chrono::steady_clock::now();
  const Draw draw = lane.sequence->sampler->Next(lane.sequence->output->data());
  report_.sample_ms += MillisecondsSince(start);
  if (draw.token < 0) {  // logits that are not finite; the other lanes go on
    lane.result.state = SequenceState::kFailed;
    return;
  }
  if (llama_vocab_is_eog(context_.model_.Vocabulary(), draw.token)) {
    lane.result.state = SequenceState::kEnded;
    return;
  }
  lane.result.tokens.push_back(draw.token);
  lane.result.log_probabilities.push_back(draw.log_probability);
  lane.sequence->pending.push_back(PendingItem{draw.token, nullptr});
  lane.sequence->output.reset();
  const int32_t set = lane.entry.pause_set;
  if (set >= 0 && context_.token_sets_[set][draw.token]) {
    lane.result.state = SequenceState::kPaused;
  } else if (static_cast<int32_t>(lane.result.tokens.size()) == lane.entry.max_tokens) {
    lane.result.state = SequenceState::kLimit;
  }
}

// Groups what is pending; the generating ones first.
std::vector<Run::Group> Run::Plan() {
  std::vector<Group> groups;
  // A recurrent state belongs to one sequence: its rows are not shared.
  const bool may_share = context_.facts_.forks_anywhere;
  for (Lane& lane : lanes_) {
    const Sequence& sequence = *lane.sequence;
    const bool is_image = sequence.pending.front().IsImage();
    bool has_joined = false;
    for (Group& group : groups) {
      const Sequence& first = *group.lanes.front()->sequence;
      if (!may_share || first.content != sequence.content || !(first.pending.front() == sequence.pending.front())) continue;
      group.lanes.push_back(&lane);
      if (!is_image) group.row_count = CommonTokenCount(first, sequence, group.row_count);
      group.is_generating = group.is_generating && sequence.pending.size() == 1;
      has_joined = true;
      break;
    }
    if (has_joined) continue;
    Group group;
    group.lanes.push_back(&lane);
    group.is_image = is_image;
    group.is_generating = sequence.pending.size() == 1 && !is_image;
    group.row_count = is_image ? sequence.pending.front().RowCount() : LeadingTokenCount(sequence);
    groups.push_back(std::move(group));
  }
  std::stable_partition(groups.begin(), groups.end(), [](const Group& group) { return group.is_generating; });
  return groups;
}

void Run::Step() {
  std::vector<Group> groups = Plan();
  int32_t free_cells = context_.cells_.FreeCount();
  int32_t free_rows = context_.facts_.batch_size;
  std::vector<Group*> texts;
  Group* image = nullptr;
  for (Group& group : groups) {
    // Cells for all of its next rows, even where this step takes a part: half a prompt in a full cache helps nobody.
    if (group.row_count > free_cells) {
      for (Lane* lane : group.lanes) lane->result.state = SequenceState::kFull;
      continue;
    }
    if (group.is_image) {
      if (image == nullptr) image = &group;
      continue;
    }
    group.taken = std::min(group.row_count, free_rows);
    if (group.taken == 0) continue;
    free_rows -= group.taken;
    free_cells -= group.taken;
    texts.push_back(&group);
  }
  // Embeddings and tokens cannot be in one batch. When both wait they take turns.
  if (image != nullptr && (texts.empty() || !context_.was_image_step_)) {
    context_.was_image_step_ = true;
    DecodeImage(*image);
  } else if (!texts.empty()) {
    context_.was_image_step_ = false;
    DecodeTokens(texts);
  }
}

}  // namespace eta
