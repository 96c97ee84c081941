#include "engine/run.h"

#include <algorithm>

#include "engine/clock.h"

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
  const int32_t shortest =
      std::min({limit, static_cast<int32_t>(a.pending.size()), static_cast<int32_t>(b.pending.size())});
  int32_t count = 0;
  while (count < shortest && a.pending[count] == b.pending[count]) count++;
  return count;
}

}  // namespace

Run::Run(KvContext& context, const RunRequest& request)
    : context_(context), cache_(context.Cache()), request_(request) {
  for (const RunEntry& entry : request.entries) {
    members_.push_back(Admitted(entry, true));
    if (entry.contrast == 0) continue;
    if (entry.max_tokens == 0) {
      throw NativeError(ErrorCode::kInvalidArgument, "Expected a contrast where tokens are drawn but sequence " +
                                                         std::to_string(entry.sequence) + " draws none.");
    }
    RunEntry held_against;
    held_against.sequence = entry.contrast;
    const auto index = static_cast<int32_t>(members_.size());
    members_.back().contrast = index;
    members_.push_back(Admitted(held_against, false));
    contrasted_.resize(context.Model().Facts().vocabulary_size);
  }
  report_.results.reserve(members_.size());
}

// A sequence as it takes part; throws for one that cannot. `draws`: whether tokens are drawn from its logits.
Run::Member Run::Admitted(const RunEntry& entry, bool draws) {
  Sequence& sequence = context_.Find(entry.sequence);
  const std::string name = "sequence " + std::to_string(entry.sequence);
  if (!seen_.insert(entry.sequence).second) {
    throw NativeError(ErrorCode::kInvalidArgument,
                      "Expected each sequence once in entries but " + name + " is there twice.");
  }
  if (entry.pause_set >= context_.TokenSetCount()) {
    throw NativeError(ErrorCode::kInvalidArgument, "Expected a pauseSet made by createTokenSet (or -1) for " + name +
                                                       " but received " + std::to_string(entry.pause_set) + ".");
  }
  const bool needs_output = !draws || entry.max_tokens > 0;
  if (needs_output && !sequence.is_lost) {
    if (draws && !sequence.sampler.has_value()) {
      throw NativeError(ErrorCode::kInvalidArgument,
                        "Expected a sampler for " + name +
                            " but it has none. Call setSampler first, in a context with output 'logits'.");
    }
    if (sequence.pending.empty() && sequence.output == nullptr) {
      throw NativeError(ErrorCode::kNothingToSample, "Expected logits or pending input for " + name +
                                                         " but it is empty or was trimmed. Append at least one token.");
    }
  }
  Member member;
  member.sequence = &sequence;
  member.entry = entry;
  member.is_contrast = !draws;
  member.result.sequence = entry.sequence;
  if (sequence.is_lost) member.result.state = SequenceState::kFailed;
  const int64_t most =
      std::min<int64_t>({entry.max_tokens, int64_t{request_.step_budget} + 1, context_.Facts().cell_count + 1});
  member.result.tokens.reserve(most);
  if (sequence.sampler.has_value() && sequence.sampler->WantsLogProbability()) {
    member.result.log_probabilities.reserve(most);
  }
  sequence.MakeRoom(0);
  return member;
}

RunReport Run::Execute() {
  for (;;) {
    DrawFromOutput();
    if (IsOver()) break;
    if (context_.interrupted_run >= request_.ticket) {
      report_.was_interrupted = true;
      break;
    }
    if (IsSpent()) {
      if (!MayGoOn()) break;
      request_.tell(TakeReport());
    }
    context_.CheckAlive();
    if (context_.Model().Thread().IsStopping()) {
      throw NativeError(ErrorCode::kDisposed, "The model was disposed of during a run.");
    }
    const auto turn = std::chrono::steady_clock::now();
    try {
      TakeTurn();
      last_turn_ms_ = MillisecondsSince(turn);
    } catch (const NativeError& error) {
      if (error.Code() == ErrorCode::kDisposed || !HasBrought()) throw;
      break;
    } catch (const std::exception&) {
      if (!HasBrought()) throw;
      break;
    }
  }
  return TakeReport();
}

// Whether the run tells what it has and goes on when its budget is spent: somebody listens, and nobody waits for the
// thread.
bool Run::MayGoOn() const { return request_.tell && !context_.Model().Thread().HasWaiting(); }

// What was brought since the last time.
RunReport Run::TakeReport() {
  RunReport report;
  std::swap(report, report_);
  for (Member& member : members_) {
    RunResult& result = member.result;
    result.facts = context_.Describe(member.entry.sequence);
    member.entry.max_tokens -= static_cast<int32_t>(result.tokens.size());
    report.results.push_back(std::move(result));  // room was made for it: what was drawn is told without taking memory
    result = RunResult();
    result.sequence = member.entry.sequence;
    result.state = report.results.back().state;
  }
  started_at_ = std::chrono::steady_clock::now();
  context_.Count(report);
  return report;
}

bool Run::IsOver() const {
  if (members_.empty()) return true;
  return std::any_of(members_.begin(), members_.end(),
                     [](const Member& member) { return member.result.state != SequenceState::kRunning; });
}

// Whether the next step would be one too many.
bool Run::IsSpent() const {
  if (report_.step_count >= request_.step_budget) return true;
  if (request_.budget_ms <= 0 || report_.step_count == 0) return false;
  return MillisecondsSince(started_at_) + last_turn_ms_ > request_.budget_ms;
}

// Whether earlier steps or draws must reach their owners, though a step failed: the next run fails in its first step.
bool Run::HasBrought() const {
  return report_.step_count > 0 || std::any_of(members_.begin(), members_.end(),
                                               [](const Member& member) { return !member.result.tokens.empty(); });
}

void Run::DrawFromOutput() {
  for (Member& member : members_) {
    if (member.is_contrast) continue;
    if (member.contrast >= 0 && member.result.state == SequenceState::kRunning) {
      const Member& other = members_[member.contrast];
      member.result.state = other.result.state;  // nothing can be drawn without it
      if (!other.sequence->pending.empty()) continue;
    }
    if (member.result.state != SequenceState::kRunning || !member.sequence->pending.empty()) continue;
    if (member.entry.max_tokens == 0) {
      member.result.state = SequenceState::kReady;
    } else {
      DrawToken(member);
    }
  }
}

// Draws one token. The logits stay with a sequence that ended or failed; otherwise the token waits to be decoded.
void Run::DrawToken(Member& member) {
  const auto start = std::chrono::steady_clock::now();
  const Draw draw = member.sequence->sampler->Next(LogitsOf(member));
  report_.sample_ms += MillisecondsSince(start);
  if (draw.token < 0) {  // logits that are not finite; the others go on
    member.result.state = SequenceState::kFailed;
    return;
  }
  if (llama_vocab_is_eog(context_.Model().Vocabulary(), draw.token)) {
    member.result.state = SequenceState::kEnded;
    return;
  }
  member.result.tokens.push_back(draw.token);
  if (member.sequence->sampler->WantsLogProbability()) {
    member.result.log_probabilities.push_back(draw.log_probability);
  }
  member.sequence->pending.push_back(PendingItem{draw.token});
  member.sequence->output.reset();
  if (member.contrast >= 0) {
    Sequence& other = *members_[member.contrast].sequence;
    other.pending.push_back(PendingItem{draw.token});
    other.output.reset();
  }
  const int32_t set = member.entry.pause_set;
  if (set >= 0 && context_.IsInTokenSet(set, draw.token)) {
    member.result.state = SequenceState::kPaused;
  } else if (static_cast<int32_t>(member.result.tokens.size()) == member.entry.max_tokens) {
    member.result.state = SequenceState::kLimit;
  }
}

const float* Run::LogitsOf(const Member& member) {
  const float* logits = member.sequence->output->Values();
  if (member.contrast < 0) return logits;
  const float* others = members_[member.contrast].sequence->output->Values();
  const float weight = member.entry.contrast_weight;
  for (size_t token = 0; token < contrasted_.size(); token++) {
    contrasted_[token] = logits[token] + weight * (logits[token] - others[token]);
  }
  return contrasted_.data();
}

// Groups what is pending; the generating ones first.
std::vector<Run::Group> Run::Plan() {
  std::vector<Group> groups;
  // A recurrent state belongs to one sequence: its rows are not shared.
  const bool may_share = context_.Facts().forks_anywhere;
  for (Member& member : members_) {
    const Sequence& sequence = *member.sequence;
    const bool is_image = sequence.pending.front().IsImage();
    bool has_joined = false;
    for (Group& group : groups) {
      const Sequence& first = *group.members.front()->sequence;
      const bool is_equal = first.content == sequence.content && first.pending.front() == sequence.pending.front();
      if (!may_share || !is_equal) continue;
      group.members.push_back(&member);
      if (!is_image) group.row_count = CommonTokenCount(first, sequence, group.row_count);
      group.is_generating = group.is_generating && sequence.pending.size() == 1;
      has_joined = true;
      break;
    }
    if (has_joined) continue;
    Group group;
    group.members.push_back(&member);
    group.is_image = is_image;
    group.is_generating = sequence.pending.size() == 1 && !is_image;
    group.first_row = sequence.pending.front().first_row;
    group.row_count = is_image ? sequence.pending.front().RowCount() : LeadingTokenCount(sequence);
    groups.push_back(std::move(group));
  }
  std::stable_partition(groups.begin(), groups.end(), [](const Group& group) { return group.is_generating; });
  return groups;
}

// A step of text, or one of an image.
void Run::TakeTurn() {
  std::vector<Group> groups = Plan();
  int32_t free_cells = cache_.FreeCellCount();
  int32_t free_rows = context_.Facts().batch_size;
  std::vector<Group*> texts;
  Group* image = nullptr;
  for (Group& group : groups) {
    // Cells for all of its next rows, even where this turn takes a part: half a prompt in a full cache helps nobody.
    if (group.row_count > free_cells) {
      for (Member* member : group.members) member->result.state = SequenceState::kFull;
      continue;
    }
    if (group.is_image) {
      group.taken = IsReadWhole(group) ? group.row_count : std::min(group.row_count, context_.Facts().batch_size);
      if (image == nullptr) image = &group;
      continue;
    }
    group.taken = std::min(group.row_count, free_rows);
    if (group.taken == 0) continue;
    free_rows -= group.taken;
    free_cells -= group.taken;
    texts.push_back(&group);
  }
  if (image == nullptr && texts.empty()) return;
  // Embeddings and tokens cannot be in one batch. When both wait they take turns.
  if (context_.IsTurnOfImage(image != nullptr, !texts.empty())) {
    DecodeImage(*image);
  } else {
    DecodeTokens(texts);
  }
}

}  // namespace eta
