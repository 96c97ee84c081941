// The steps of a run: batches through llama.cpp. A step happens or does not; where one of an image does not, none of
// its earlier ones did.
#include <algorithm>

#include "engine/clock.h"
#include "engine/device.h"
#include "engine/log.h"
#include "engine/run.h"

namespace eta {

// Steps on their way. However they end, the mask is causal behind them; and unless they are kept, the cache holds what
// it held before. (Whether output is wanted is said with each decode.)
class Run::Attempt {
 public:
  Attempt(KvCache& cache, const std::vector<Group*>& groups, bool is_causal) : cache_(cache), groups_(groups) {
    for (const Group* group : groups) {
      for (Member* member : group->members) member->sequence->MakeRoom(group->taken);
    }
    if (!is_causal) cache_.SetCausal(false);
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  ~Attempt() {
    cache_.SetCausal(true);
    if (is_kept_) return;
    for (const Group* group : groups_) {
      const uint64_t content = cache_.NewContent();
      for (Member* member : group->members) {
        if (!cache_.Rewind(*member->sequence, content)) member->result.state = SequenceState::kFailed;
      }
    }
  }
  void Keep() { is_kept_ = true; }

 private:
  KvCache& cache_;
  const std::vector<Group*>& groups_;
  bool is_kept_ = false;
};

void Run::DecodeTokens(std::vector<Group*>& groups) {
  std::vector<llama_token> tokens;
  std::vector<llama_pos> positions;
  std::vector<int32_t> lane_counts;
  std::vector<llama_seq_id*> lanes;
  std::vector<int8_t> wants_output;
  std::vector<std::vector<llama_seq_id>> lanes_of_group;
  lanes_of_group.reserve(groups.size());
  for (const Group* group : groups) lanes_of_group.push_back(LanesOf(*group));
  for (size_t g = 0; g < groups.size(); g++) {
    const Sequence& first = *groups[g]->members.front()->sequence;
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
  Attempt attempt(cache_, groups, true);
  if (!Decode(batch, groups)) return;
  int32_t row = 0;
  for (Group* group : groups) {
    row += group->taken;
    if (wants_output[row - 1] != 0) group->output = cache_.OutputOf(row - 1);
  }
  attempt.Keep();
  report_.step_count++;
  for (Group* group : groups) Finish(*group, group->taken, group->taken);
}

// Rows of an image chunk: as many as a step takes, so that the texts beside it have their turn, or all that are left.
void Run::DecodeImage(Group& group) {
  const Sequence& first = *group.members.front()->sequence;
  const std::shared_ptr<const vision::ImageChunk> chunk = first.pending.front().chunk;
  const ModelFacts& facts = context_.Model().Facts();
  const int32_t end = group.first_row + group.taken;
  const bool is_last_part = end == chunk->row_count;
  const bool ends_input = is_last_part && EndsAnInput(group);
  std::vector<llama_seq_id> lanes = LanesOf(group);
  const std::vector<Group*> groups = {&group};
  Attempt attempt(cache_, groups, chunk->is_causal);
  int32_t last_row = 0;
  int32_t step_count = 0;
  for (int32_t row = group.first_row; row < end; row += context_.Facts().batch_size) {
    const int32_t count = std::min(end - row, context_.Facts().batch_size);
    const bool is_last = row + count == end;
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
    step_count++;
    last_row = count - 1;
  }
  if (ends_input) group.output = cache_.OutputOf(last_row);
  attempt.Keep();
  report_.step_count += step_count;
  for (Member* member : group.members) {
    Sequence& sequence = *member->sequence;
    if (group.first_row == 0)
      sequence.images.push_back({sequence.TokenCount(), chunk->row_count, chunk->position_count});
    sequence.pending.front().first_row = end;
  }
  if (is_last_part) {
    report_.image_count++;
    Finish(group, 1, chunk->position_count);
  } else {
    Finish(group, 0, 0);
  }
}

// Non-causal rows see each other, so they are one step in any case.
bool Run::IsReadWhole(const Group& group) {
  return std::any_of(group.members.begin(), group.members.end(), [](const Member* member) {
    const PendingItem& item = member->sequence->pending.front();
    return item.is_read_whole || !item.chunk->is_causal;
  });
}

std::vector<llama_seq_id> Run::LanesOf(const Group& group) const {
  std::vector<llama_seq_id> lanes;
  for (const Member* member : group.members) cache_.AddLanes(*member->sequence, lanes);
  return lanes;
}

bool Run::EndsAnInput(const Group& group) {
  const size_t item_count = group.is_image ? 1 : static_cast<size_t>(group.taken);
  return std::any_of(group.members.begin(), group.members.end(),
                     [item_count](const Member* member) { return member->sequence->pending.size() == item_count; });
}

// False when the cache had no room after all (a windowed cache may need more than the ledger knows). Whatever else goes
// wrong throws. The attempt around it puts the cache back.
bool Run::Decode(const llama_batch& batch, const std::vector<Group*>& groups) {
  const auto start = std::chrono::steady_clock::now();
  const log::Capture capture;
  const int32_t code = cache_.Decode(batch);
  report_.decode_ms += MillisecondsSince(start);
  if (code == 0) return true;
  if (code == 1) {
    for (const Group* group : groups) {
      for (Member* member : group->members) member->result.state = SequenceState::kFull;
    }
    return false;
  }
  if (code == 2 && context_.IsEnding()) {
    throw NativeError(ErrorCode::kDisposed, "The context was disposed of during a run.");
  }
  throw device::Failure("Expected llama.cpp to decode a step, but llama_decode returned " + std::to_string(code) +
                            ": " + capture.Reason("llama.cpp gave no reason") + After(),
                        ErrorCode::kDecodeFailed);
}

// What became of the sequences of a step that failed.
const char* Run::After() const {
  return context_.Facts().forks_anywhere
             ? " The sequences stand where they stood before."
             : " This model keeps a running state that cannot be taken back: a sequence of the step that holds no "
               "tokens lost it. Release it, and begin anew.";
}

// After a decode: the rows are cells now. Nothing here takes memory.
void Run::Finish(Group& group, int32_t item_count, int32_t position_count) {
  const uint64_t content = cache_.NewContent();
  const auto owner_count = static_cast<uint16_t>(group.members.size());
  for (int32_t row = 0; row < group.taken; row++) {
    const uint32_t cell = cache_.TakeCell(owner_count);
    for (Member* member : group.members) member->sequence->cells.push_back(cell);
  }
  for (Member* member : group.members) {
    Sequence& sequence = *member->sequence;
    sequence.pending.erase(sequence.pending.begin(), sequence.pending.begin() + item_count);
    sequence.position += position_count;
    sequence.content = content;
    sequence.output.reset();
    if (!sequence.pending.empty()) continue;
    sequence.output = group.output;
    if (group.output == nullptr) member->result.state = SequenceState::kFailed;
  }
  report_.row_count += group.taken;
  report_.shared_row_count += group.taken * (owner_count - 1);
}

}  // namespace eta
