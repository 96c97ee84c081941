#include "engine/kv_context.h"

#include <algorithm>

#include "engine/run.h"

namespace eta {

namespace {

std::string Id(int32_t id) { return std::to_string(id); }

// Where a cut before this token would be. Throws where it is inside an image.
llama_pos PositionAt(const Sequence& sequence, int32_t token_count) {
  llama_pos position = token_count;
  for (const ImageSpan& span : sequence.images) {
    const int32_t end = span.first_cell + span.cell_count;
    if (token_count > span.first_cell && token_count < end) {
      throw NativeError(ErrorCode::kInvalidArgument, "Expected a cut outside of an image but " + Id(token_count) +
                                                         " lies inside the one from " + Id(span.first_cell) + " to " +
                                                         Id(end) + ".");
    }
    if (token_count >= end) position -= span.cell_count - span.position_count;
  }
  return position;
}

// Its first rows stay, in front of what is cut off.
void CutPending(Sequence& sequence, int32_t row_count) {
  int32_t at = 0;
  size_t kept = 0;
  for (; kept < sequence.pending.size() && at < row_count; kept++) at += sequence.pending[kept].RowCount();
  if (at != row_count) {
    const PendingItem& image = sequence.pending[kept - 1];
    const int32_t end = sequence.TokenCount() + at;
    throw NativeError(ErrorCode::kInvalidArgument,
                      "Expected a cut outside of an image but " + Id(sequence.TokenCount() + row_count) +
                          " lies inside the one from " + Id(end - image.chunk->row_count) + " to " + Id(end) + ".");
  }
  sequence.pending.resize(kept);
}

}  // namespace

std::shared_ptr<KvContext> KvContext::Create(LoadedModel& model, const ContextSettings& settings) {
  std::shared_ptr<KvContext> context(new KvContext(model, settings));
  model.AddContext(context);
  return context;
}

KvContext::KvContext(LoadedModel& model, const ContextSettings& settings)
    : model_(model),
      settings_(settings),
      cache_(std::make_unique<KvCache>(
          model, settings, [](void* self) { return static_cast<const KvContext*>(self)->IsEnding(); }, this)),
      facts_(cache_->Facts()) {}

void KvContext::Free() {
  is_disposed = true;
  sequences_.clear();
  token_sets_.clear();
  cache_.reset();
}

void KvContext::CheckAlive() const {
  if (is_disposed || cache_ == nullptr) {
    throw NativeError(ErrorCode::kDisposed, "The context was disposed of; create another one.");
  }
}

Sequence& KvContext::Find(int32_t id) {
  CheckAlive();
  const auto entry = sequences_.find(id);
  if (entry == sequences_.end()) {
    throw NativeError(ErrorCode::kUnknownSequence, "Expected a living sequence but " + Id(id) + " was " +
                                                       (id < next_id_ ? "released." : "never created."));
  }
  return entry->second;
}

Sequence& KvContext::NewSequence() {
  if (cache_->FreeLaneCount() == 0) {
    throw NativeError(
        ErrorCode::kSequenceLimit,
        "All " + Id(facts_.sequence_count) + " sequences are in use. Release one, or create the context with more.");
  }
  Sequence sequence;
  sequence.id = next_id_;
  Sequence& added = sequences_.emplace(sequence.id, std::move(sequence)).first->second;
  next_id_++;
  added.lane = cache_->TakeLane();
  return added;
}

void KvContext::ReleaseOne(Sequence& sequence) {
  cache_->Empty(sequence);
  cache_->ReturnLane(sequence.lane);
  sequences_.erase(sequence.id);
}

int32_t KvContext::CreateSequence() {
  CheckAlive();
  return NewSequence().id;
}

void KvContext::Append(int32_t id, const std::vector<PendingItem>& items) {
  Sequence& sequence = Find(id);
  for (const PendingItem& item : items) {
    // llama.cpp asserts that a non-causal image fits one micro batch.
    if (!item.IsImage() || item.chunk->is_causal || item.chunk->row_count <= facts_.micro_batch_size) continue;
    throw NativeError(ErrorCode::kInvalidArgument,
                      "Expected an image of at most microBatchSize = " + Id(facts_.micro_batch_size) +
                          " rows but it has " + Id(item.chunk->row_count) +
                          ". Create the context with a larger microBatchSize.");
  }
  sequence.pending.insert(sequence.pending.end(), items.begin(), items.end());
}

std::vector<int32_t> KvContext::Fork(int32_t id, int32_t count) {
  Sequence& parent = Find(id);
  const int32_t free = cache_->FreeLaneCount();
  if (count > free) {
    throw NativeError(ErrorCode::kSequenceLimit,
                      "Expected room for " + Id(count) + " forks but only " + Id(free) + " of " +
                          Id(facts_.sequence_count) +
                          " sequences are free. Release some, or create the context with more.");
  }
  std::vector<int32_t> ids;
  Newborns newborns(*this, count);
  for (int32_t i = 0; i < count; i++) {
    Sequence& child = newborns.Add();
    cache_->Share(parent, child);
    ids.push_back(child.id);
  }
  newborns.Keep();
  totals_.fork_count += count;
  return ids;
}

void KvContext::SetSampler(int32_t id, const SamplerSettings& settings) {
  Find(id).sampler = Sampler(settings, model_.Facts().vocabulary_size);
}

void KvContext::Trim(int32_t id, int32_t token_count) {
  Sequence& sequence = Find(id);
  const int32_t total = sequence.TokenCount();
  const int32_t most = total + sequence.PendingCount();
  if (token_count > most) {
    throw NativeError(ErrorCode::kInvalidArgument,
                      "Expected a tokenCount from 0 to " + Id(most) + " but received " + Id(token_count) + ".");
  }
  if (token_count > total) {
    CutPending(sequence, token_count - total);
    return;
  }
  const llama_pos position = PositionAt(sequence, token_count);
  if (token_count == 0) {
    cache_->Empty(sequence);
    return;
  }
  if (token_count < total) {
    if (!facts_.forks_anywhere) {
      throw NativeError(ErrorCode::kForkUnsupported,
                        "This model keeps a running state instead of one cell per token: a sequence "
                        "can only be trimmed to 0. Append the wanted tokens to a new sequence.");
    }
    if (token_count < sequence.least_trim) {
      throw NativeError(ErrorCode::kForkUnsupported,
                        "Expected a tokenCount of at least " + Id(sequence.least_trim) + ", or 0, but received " +
                            Id(token_count) +
                            ": this sequence was restored, and a model with windowed attention saves the last window "
                            "alone. Append the wanted tokens to a new sequence.");
    }
    if (!cache_->Cut(sequence, token_count, position)) {
      throw NativeError(ErrorCode::kForkUnsupported, "llama.cpp cannot trim a sequence of this model at " +
                                                         Id(token_count) +
                                                         ". Append the wanted tokens to a new sequence.");
    }
  }
  sequence.pending.clear();
  sequence.output.reset();
}

void KvContext::Release(const std::vector<int32_t>& ids) {
  for (const int32_t id : ids) Find(id);
  for (const int32_t id : ids) {
    const auto entry = sequences_.find(id);
    if (entry != sequences_.end()) ReleaseOne(entry->second);  // named twice, it is gone already
  }
}

int32_t KvContext::CreateTokenSet(const std::vector<llama_token>& tokens) {
  CheckAlive();
  std::vector<bool> set(model_.Facts().vocabulary_size, false);
  for (const llama_token token : tokens) set[token] = true;
  token_sets_.push_back(std::move(set));
  return static_cast<int32_t>(token_sets_.size()) - 1;
}

std::vector<float> KvContext::CopyOutput(int32_t id) {
  const Sequence& sequence = Find(id);
  if (sequence.output == nullptr || !sequence.pending.empty()) {
    throw NativeError(ErrorCode::kNothingToSample,
                      "Sequence " + Id(id) + " has no " + settings_.output->Name() +
                          ": it is empty, was trimmed, or has input pending. Run it first.");
  }
  const Row& row = *sequence.output;
  return std::vector<float>(row.Values(), row.Values() + row.Size());
}

RunReport KvContext::Run(const RunRequest& request) {
  CheckAlive();
  return eta::Run(*this, request).Execute();
}

void KvContext::Count(const RunReport& report) {
  totals_.step_count += report.step_count;
  totals_.row_count += report.row_count;
  totals_.image_count += report.image_count;
  totals_.decode_ms += report.decode_ms;
  totals_.sample_ms += report.sample_ms;
}

bool KvContext::IsTurnOfImage(bool has_image, bool has_text) {
  was_turn_of_image_ = has_image && (!has_text || !was_turn_of_image_);
  return was_turn_of_image_;
}

SequenceFacts KvContext::Describe(int32_t id) {
  const Sequence& sequence = Find(id);
  return {sequence.TokenCount(), sequence.position, sequence.PendingCount(),
          sequence.output != nullptr && sequence.pending.empty()};
}

ContextStatistics KvContext::Statistics() {
  CheckAlive();
  ContextStatistics statistics = totals_;
  statistics.used_cell_count = cache_->UsedCellCount();
  statistics.live_sequence_count = static_cast<int32_t>(sequences_.size());
  statistics.thread_count = cache_->LastThreadCount();
  return statistics;
}

}  // namespace eta
