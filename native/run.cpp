#include "run.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "log.h"

namespace eta {

namespace {

double MillisecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

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

// A step on its way. However it ends, the mask is causal behind it; and unless the step is kept, the cache holds what it
// held before. (Whether output is wanted is said with each decode.)
class Run::Attempt {
 public:
  Attempt(KvContext& context, const std::vector<Group*>& groups, bool is_causal) : context_(context), groups_(groups) {
    for (const Group* group : groups) {
      for (Lane* lane : group->lanes) lane->sequence->MakeRoom(group->taken);
    }
    if (!is_causal) llama_set_causal_attn(context_.context_.get(), false);
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  ~Attempt() {
    llama_set_causal_attn(context_.context_.get(), true);
    if (is_kept_) return;
    for (const Group* group : groups_) {
      for (Lane* lane : group->lanes) {
        if (!context_.Rewind(*lane->sequence)) lane->result.state = SequenceState::kFailed;
      }
    }
  }
  void Keep() { is_kept_ = true; }

 private:
  KvContext& context_;
  const std::vector<Group*>& groups_;
  bool is_kept_ = false;
};

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

void Run::DecodeTokens(std::vector<Group*>& groups) {
  std::vector<llama_token> tokens;
  std::vector<llama_pos> positions;
  std::vector<int32_t> lane_counts;
  std::vector<llama_seq_id*> lanes;
  std::vector<int8_t> wants_output;
  std::vector<std::vector<llama_seq_id>> lanes_of_group;
  for (const Group* group : groups) lanes_of_group.push_back(LanesOf(*group));
  for (size_t g = 0; g < groups.size(); g++) {
    const Sequence& first = *groups[g]->lanes.front()->sequence;
    for (int32_t row = 0; row < groups[g]->taken; row++) {
      tokens.push_back(first.pending[row].token);
      positions.push_back(first.position + row);
      lane_counts.push_back(static_cast<int32_t>(lanes_of_group[g].size()));
      lanes.push_back(lanes_of_group[g].data());
      // Shared rows end where the shortest input ends, so only the last row can be the end of an input.
      wants_output.push_back(row + 1 == groups[g]->taken && EndsAnInput(*groups[g]) ? 1 : 0);
    }
  }
  llama_batch batch = {};
  batch.n_tokens = static_cast<int32_t>(tokens.size());
  batch.token = tokens.data();
  batch.pos = positions.data();
  batch.n_seq_id = lane_counts.data();
  batch.seq_id = lanes.data();
  batch.logits = wants_output.data();
  Attempt attempt(context_, groups, true);
  if (!Decode(batch, groups)) return;
  int32_t row = 0;
  for (Group* group : groups) {
    row += group->taken;
    if (wants_output[row - 1] != 0) group->output = CopyOutput(row - 1);
  }
  attempt.Keep();
  report_.step_count++;
  for (Group* group : groups) Finish(*group, group->taken, group->taken);
}

// A whole image chunk, in as many decodes as the batch size asks for.
void Run::DecodeImage(Group& group) {
  const Sequence& first = *group.lanes.front()->sequence;
  const std::shared_ptr<const vision::ImageChunk> chunk = first.pending.front().chunk;
  const ModelFacts& facts = context_.model_.Facts();
  const bool ends_input = EndsAnInput(group);
  std::vector<llama_seq_id> lanes = LanesOf(group);
  const std::vector<Group*> groups = {&group};
  group.taken = chunk->row_count;
  Attempt attempt(context_, groups, chunk->is_causal);
  int32_t last_row = 0;
  for (int32_t row = 0; row < chunk->row_count; row += context_.facts_.batch_size) {
    const int32_t count = std::min(chunk->row_count - row, context_.facts_.batch_size);
    const bool is_last = row + count == chunk->row_count;
    std::vector<llama_pos> positions = chunk->Positions(first.position, row, count, facts.uses_mrope);
    std::vector<int32_t> lane_counts(count, static_cast<int32_t>(lanes.size()));
    std::vector<llama_seq_id*> lane_lists(count, lanes.data());
    std::vector<int8_t> wants_output(count, 0);
    wants_output.back() = is_last && ends_input ? 1 : 0;
    llama_batch batch = {};
    batch.n_tokens = count;
    batch.embd = const_cast<float*>(chunk->embeddings.data()) + static_cast<size_t>(row) * facts.input_embedding_size;
    batch.pos = positions.data();
    batch.n_seq_id = lane_counts.data();
    batch.seq_id = lane_lists.data();
    batch.logits = wants_output.data();
    if (!Decode(batch, groups)) return;
    last_row = count - 1;
  }
  if (ends_input) group.output = CopyOutput(last_row);
  attempt.Keep();
  report_.step_count++;
  context_.totals_.image_count += 1;
  for (Lane* lane : group.lanes) {
    lane->sequence->images.push_back({lane->sequence->TokenCount(), chunk->row_count, chunk->position_count});
  }
  Finish(group, 1, chunk->position_count);
}

std::vector<llama_seq_id> Run::LanesOf(const Group& group) const {
  std::vector<llama_seq_id> lanes;
  for (const Lane* lane : group.lanes) context_.AddLanes(*lane->sequence, lanes);
  return lanes;
}

bool Run::EndsAnInput(const Group& group) {
  const size_t item_count = group.is_image ? 1 : static_cast<size_t>(group.taken);
  return std::any_of(group.lanes.begin(), group.lanes.end(),
                     [item_count](const Lane* lane) { return lane->sequence->pending.size() == item_count; });
}

// False when the cache had no room after all (a windowed cache may need more than the ledger knows). Whatever else goes
// wrong throws. The attempt around it puts the cache back.
bool Run::Decode(const llama_batch& batch, const std::vector<Group*>& groups) {
  llama_context* context = context_.context_.get();
  const auto start = std::chrono::steady_clock::now();
  const log::Capture capture;
  if (context_.settings_.reads_hidden_state) {
    // llama.cpp then computes the output of every row of the batch, so it is asked only where one is wanted.
    llama_set_embeddings(context, std::find(batch.logits, batch.logits + batch.n_tokens, 1) != batch.logits + batch.n_tokens);
  }
  int32_t code = 0;
  try {
    code = llama_decode(context, batch);
    if (code == 0) llama_synchronize(context);
  } catch (...) {
    // llama.cpp holds its buffers for reserved though that was what failed, and would run into them with the next decode:
    // a change of the mask, to and fro, has it reserve them again.
    llama_set_causal_attn(context, false);
    llama_set_causal_attn(context, true);
    throw;
  }
  report_.decode_ms += MillisecondsSince(start);
  if (code == 0) return true;
  if (code == 1) {
    for (const Group* group : groups) {
      for (Lane* lane : group->lanes) lane->result.state = SequenceState::kFull;
    }
    return false;
  }
  if (code == 2 && context_.IsEnding()) throw NativeError(ErrorCode::kDisposed, "The context was disposed of during a run.");
  throw NativeError(ErrorCode::kDecodeFailed, "Expected llama.cpp to decode a step, but llama_decode returned " +
                                                  std::to_string(code) + ": " +
                                                  capture.Reason("llama.cpp gave no reason") + After());
}

// What became of the sequences of a step that failed.
const char* Run::After() const {
  return context_.facts_.forks_anywhere
             ? " The sequences stand where they stood before."
             : " This model keeps a running state that cannot be taken back: a sequence of the step that holds no "
               "tokens lost it. Release it, and begin anew.";
}

// A copy, because the next decode overwrites the row. Null where llama.cpp has none.
OutputRow Run::CopyOutput(int32_t row_of_batch) const {
  llama_context* context = context_.context_.get();
  const float* row = context_.settings_.reads_hidden_state ? llama_get_embeddings_ith(context, row_of_batch)
                                                           : llama_get_logits_ith(context, row_of_batch);
  return row == nullptr ? nullptr : std::make_shared<const std::vector<float>>(row, row + context_.OutputSize());
}

// After a decode: the rows are cells now. Nothing here takes memory.
void Run::Finish(Group& group, int32_t item_count, int32_t position_count) {
  const uint64_t content = context_.NewContent();
  const auto owner_count = static_cast<uint16_t>(group.lanes.size());
  for (int32_t row = 0; row < group.taken; row++) {
    const uint32_t cell = context_.cells_.Take(owner_count);
    for (Lane* lane : group.lanes) lane->sequence->cells.push_back(cell);
  }
  for (Lane* lane : group.lanes) {
    Sequence& sequence = *lane->sequence;
    sequence.pending.erase(sequence.pending.begin(), sequence.pending.begin() + item_count);
    sequence.position += position_count;
    sequence.content = content;
    sequence.output.reset();
    if (!sequence.pending.empty()) continue;
    sequence.output = group.output;
    if (group.output == nullptr) lane->result.state = SequenceState::kFailed;
  }
  report_.row_count += group.taken;
  report_.shared_row_count += group.taken * (owner_count - 1);
}

}  // namespace eta
