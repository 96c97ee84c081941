#include "kv_context.h"

#include <algorithm>

#include "log.h"

namespace eta {

namespace {

std::string Id(int32_t id) { return std::to_string(id); }

// An operating system that promises more than it has kills the process when the cache is first written; so what cannot
// fit is refused before. A lower bound on purpose: models differ in what they keep per token.
void CheckMemory(const llama_model* model, const ModelFacts& facts, const ContextSettings& settings) {
  if (!facts.ForksAnywhere()) return;
  const double heads = std::max(1, llama_model_n_head(model));
  const double row_size = static_cast<double>(facts.embedding_size) * llama_model_n_head_kv(model) / heads;
  const double bytes_per_value = static_cast<double>(ggml_type_size(settings.cache_type)) / ggml_blck_size(settings.cache_type);
  const double needed = 2.0 * facts.layer_count * settings.cell_count * row_size * bytes_per_value;
  double available = 0;
  for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
    size_t free = 0;
    size_t total = 0;
    ggml_backend_dev_memory(ggml_backend_dev_get(i), &free, &total);
    available += static_cast<double>(total);
  }
  if (available == 0 || needed <= available) return;
  throw NativeError(ErrorCode::kContextFailed, "A context of " + Id(settings.cell_count) + " cells takes about " +
                                          std::to_string(static_cast<int64_t>(needed / 1e9)) +
                                          " GB, more than the memory of this machine (" +
                                          std::to_string(static_cast<int64_t>(available / 1e9)) +
                                          " GB). Ask for fewer cells.");
}

}  // namespace

std::shared_ptr<KvContext> KvContext::Create(LoadedModel& model, const ContextSettings& settings) {
  CheckMemory(model.Model(), model.Facts(), settings);
  std::shared_ptr<KvContext> context(new KvContext(model, settings));
  model.AddContext(context);
  return context;
}

KvContext::KvContext(LoadedModel& model, const ContextSettings& settings) : model_(model), settings_(settings) {
  // A decode has to hold the next token of every sequence, and a non-causal image in one micro batch.
  int32_t micro_batch = settings.micro_batch_size;
  if (model.Projector() != nullptr) micro_batch = std::max(micro_batch, model.Projector()->NonCausalRowCount());
  const int32_t batch = std::max({settings.batch_size, settings.sequence_count, micro_batch});

  if (model.Facts().sliding_window > 0 && model.Facts().ForksAnywhere()) second_lane_ = settings.sequence_count;
  if (settings.sequence_count + second_lane_ > static_cast<int32_t>(llama_max_parallel_sequences())) {
    throw NativeError(ErrorCode::kInvalidArgument,
                      "Expected sequenceCount to be at most " + Id(llama_max_parallel_sequences() / 2) +
                          " for a model with windowed attention but received " + Id(settings.sequence_count) + ".");
  }

  llama_context_params params = llama_context_default_params();
  params.n_ctx = settings.cell_count;
  params.n_batch = batch;
  params.n_ubatch = micro_batch;
  params.n_seq_max = settings.sequence_count + second_lane_;
  // Hidden states come from all rows of a step that asks for one, see Run::Decode.
  // llama.cpp asks for one of every lane at least.
  params.n_outputs_max = std::max(settings.reads_hidden_state ? batch : 0, settings.sequence_count + second_lane_);
  params.embeddings = settings.reads_hidden_state;
  params.pooling_type = LLAMA_POOLING_TYPE_NONE;
  params.n_threads = settings.thread_count;
  params.n_threads_batch = settings.thread_count;
  params.flash_attn_type = settings.flash_attention;
  params.type_k = settings.cache_type;
  params.type_v = settings.cache_type;
  params.kv_unified = true;  // forks share cells; separate streams would copy, and abort on partial ranges
  params.swa_full = true;    // a windowed cache drops cells that a fork or a trim needs
  params.no_perf = true;
  params.offload_kqv = model.Settings().gpu_layer_count != 0;
  params.op_offload = model.Settings().gpu_layer_count != 0;
  {
    const log::Capture capture;
    context_.reset(llama_init_from_model(model.Model(), params));
    if (context_ == nullptr) {
      throw NativeError(ErrorCode::kContextFailed, "Cannot make a context of " + Id(settings.cell_count) + " cells: " +
                                              capture.Reason("out of memory?") + " Ask for fewer cells or sequences.");
    }
  }
  facts_.cell_count = static_cast<int32_t>(llama_n_ctx(context_.get()));
  facts_.sequence_count = settings.sequence_count;
  facts_.batch_size = static_cast<int32_t>(llama_n_batch(context_.get()));
  facts_.micro_batch_size = static_cast<int32_t>(llama_n_ubatch(context_.get()));
  facts_.forks_anywhere = model.Facts().ForksAnywhere();
  lane_is_used_.assign(settings.sequence_count, false);
  cells_ = CellLedger(facts_.cell_count);
  llama_set_abort_callback(
      context_.get(), [](void* self) { return static_cast<const KvContext*>(self)->IsEnding(); }, this);
}

void KvContext::Free() {
  is_disposed = true;
  sequences_.clear();
  token_sets_.clear();
  context_.reset();
}

void KvContext::CheckAlive() const {
  if (is_disposed || context_ == nullptr) {
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
  const auto lane = std::find(lane_is_used_.begin(), lane_is_used_.end(), false);
  if (lane == lane_is_used_.end()) {
    throw NativeError(ErrorCode::kSequenceLimit, "All " + Id(facts_.sequence_count) +
                                            " sequences are in use. Release one, or create the context with more.");
  }
  Sequence sequence;
  sequence.id = next_id_;
  sequence.lane = static_cast<llama_seq_id>(lane - lane_is_used_.begin());
  Sequence& added = sequences_.emplace(sequence.id, std::move(sequence)).first->second;
  next_id_++;
  *lane = true;
  return added;
}

void KvContext::ReleaseOne(Sequence& sequence) {
  Empty(sequence);
  lane_is_used_[sequence.lane] = false;
  sequences_.erase(sequence.id);
}

// Rows from a position on, -1 = all, out of llama.cpp's cache. False where its memory cannot be cut there.
bool KvContext::RemoveRows(const Sequence& sequence, llama_pos first) {
  llama_memory_t memory = llama_get_memory(context_.get());
  if (second_lane_ > 0) llama_memory_seq_rm(memory, sequence.lane + second_lane_, first, -1);
  return llama_memory_seq_rm(memory, sequence.lane, first, -1);
}

// All rows of a lane become this sequence's too; the lane may be its own.
void KvContext::ShareRows(llama_seq_id from, const Sequence& to) {
  llama_memory_t memory = llama_get_memory(context_.get());
  if (from != to.lane) llama_memory_seq_cp(memory, from, to.lane, -1, -1);
  if (second_lane_ > 0) llama_memory_seq_cp(memory, from, to.lane + second_lane_, -1, -1);
}

void KvContext::AddLanes(const Sequence& sequence, std::vector<llama_seq_id>& lanes) const {
  lanes.push_back(sequence.lane);
  if (second_lane_ > 0) lanes.push_back(sequence.lane + second_lane_);
}

// Takes rows that a step has left behind the sequence's end out of llama.cpp's cache. False where that cannot be done, a
// running state having moved on: then the sequence is lost.
bool KvContext::Rewind(Sequence& sequence) {
  if (RemoveRows(sequence, sequence.position == 0 ? -1 : sequence.position)) return true;
  Empty(sequence);
  sequence.is_lost = true;
  return false;
}

void KvContext::Empty(Sequence& sequence) {
  RemoveRows(sequence, -1);
  for (const uint32_t cell : sequence.cells) cells_.Drop(cell);
  sequence.cells.clear();
  sequence.images.clear();
  sequence.pending.clear();
  sequence.output.reset();
  sequence.position = 0;
  sequence.content = 0;
  sequence.least_trim = 0;
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
    throw NativeError(ErrorCode::kInvalidArgument, "Expected an image of at most microBatchSize = " + Id(facts_.micro_batch_size) +
                                              " rows but it has " + Id(item.chunk->row_count) +
                                              ". Create the context with a larger microBatchSize.");
  }
  sequence.pending.insert(sequence.pending.end(), items.begin(), items.end());
}

std::vector<int32_t> KvContext::Fork(int32_t id, int32_t count) {
  Sequence& parent = Find(id);
  const int32_t free = static_cast<int32_t>(std::count(lane_is_used_.begin(), lane_is_used_.end(), false));
  if (count > free) {
    throw NativeError(ErrorCode::kSequenceLimit, "Expected room for " + Id(count) + " forks but only " + Id(free) + " of " +
                                            Id(facts_.sequence_count) +
                                            " sequences are free. Release some, or create the context with more.");
  }
  std::vector<int32_t> ids;
  Newborns newborns(*this, count);
  for (int32_t i = 0; i < count; i++) {
    Sequence& child = newborns.Add();
    RemoveRows(child, -1);  // the copy does not clear its destination
    ShareRows(parent.lane, child);
    child.cells = parent.cells;
    for (const uint32_t cell : child.cells) cells_.Share(cell);
    child.images = parent.images;
    child.position = parent.position;
    child.pending = parent.pending;
    child.content = parent.content;
    child.output = parent.output;
    child.least_trim = parent.least_trim;
    child.is_lost = parent.is_lost;
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
  if (token_count > total) {
    throw NativeError(ErrorCode::kInvalidArgument, "Expected a tokenCount from 0 to " + Id(total) + " but received " +
                                              Id(token_count) + ".");
  }
  llama_pos position = token_count;
  for (const ImageSpan& span : sequence.images) {
    const int32_t end = span.first_cell + span.cell_count;
    if (token_count > span.first_cell && token_count < end) {
      throw NativeError(ErrorCode::kInvalidArgument, "Expected a cut outside of an image but " + Id(token_count) +
                                                " lies inside the one from " + Id(span.first_cell) + " to " + Id(end) + ".");
    }
    if (token_count >= end) position -= span.cell_count - span.position_count;
  }
  if (token_count == 0) {
    Empty(sequence);
    return;
  }
  if (token_count < total) {
    if (!facts_.forks_anywhere) {
      throw NativeError(ErrorCode::kForkUnsupported, "This model keeps a running state instead of one cell per token: a sequence "
                                            "can only be trimmed to 0. Append the wanted tokens to a new sequence.");
    }
    if (token_count < sequence.least_trim) {
      throw NativeError(ErrorCode::kForkUnsupported,
                        "Expected a tokenCount of at least " + Id(sequence.least_trim) + ", or 0, but received " +
                            Id(token_count) +
                            ": this sequence was restored, and a model with windowed attention saves the last window "
                            "alone. Append the wanted tokens to a new sequence.");
    }
    if (!RemoveRows(sequence, position)) {
      throw NativeError(ErrorCode::kForkUnsupported, "llama.cpp cannot trim a sequence of this model at " + Id(token_count) +
                                                ". Append the wanted tokens to a new sequence.");
    }
    for (int32_t i = token_count; i < total; i++) cells_.Drop(sequence.cells[i]);
    sequence.cells.resize(token_count);
    while (!sequence.images.empty() && sequence.images.back().first_cell >= token_count) sequence.images.pop_back();
    sequence.position = position;
    sequence.content = NewContent();
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

std::vector<float> KvContext::CopyLogits(int32_t id) { return Output(id, false); }

std::vector<float> KvContext::CopyHiddenState(int32_t id) { return Output(id, true); }

const std::vector<float>& KvContext::Output(int32_t id, bool is_hidden_state) {
  const Sequence& sequence = Find(id);
  if (is_hidden_state != settings_.reads_hidden_state) {
    throw NativeError(ErrorCode::kInvalidArgument, is_hidden_state
                                              ? "Expected a context with output 'hidden-state' but this one keeps logits."
                                              : "Expected a context with output 'logits' but this one keeps hidden states.");
  }
  if (sequence.output == nullptr || !sequence.pending.empty()) {
    throw NativeError(ErrorCode::kNothingToSample, "Sequence " + Id(id) + " has no " + (is_hidden_state ? "hidden state" : "logits") +
                                               ": it is empty, was trimmed, or has input pending. Run it first.");
  }
  return *sequence.output;
}

int32_t KvContext::OutputSize() const {
  return settings_.reads_hidden_state ? model_.Facts().embedding_size : model_.Facts().vocabulary_size;
}

SequenceFacts KvContext::Describe(int32_t id) {
  const Sequence& sequence = Find(id);
  return {sequence.TokenCount(), sequence.position, sequence.PendingCount(),
          sequence.output != nullptr && sequence.pending.empty()};
}

ContextStatistics KvContext::Statistics() {
  CheckAlive();
  ContextStatistics statistics = totals_;
  statistics.used_cell_count = cells_.UsedCount();
  statistics.live_sequence_count = static_cast<int32_t>(sequences_.size());
  return statistics;
}

}  // namespace eta
