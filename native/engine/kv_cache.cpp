#include "engine/kv_cache.h"

#include <algorithm>
#include <string>

#include "engine/assertions.h"
#include "engine/clock.h"
#include "engine/device.h"
#include "engine/log.h"

namespace eta {

namespace {

// An operating system that promises more than it has kills the process when the cache is first written; so what cannot
// fit is refused before. A lower bound on purpose: models differ in what they keep per token.
void CheckMemory(const llama_model* model, const ModelFacts& facts, const ContextSettings& settings) {
  if (!facts.ForksAnywhere()) return;
  const double heads = std::max(1, llama_model_n_head(model));
  const double row_size = static_cast<double>(facts.embedding_size) * llama_model_n_head_kv(model) / heads;
  const double bytes_per_value =
      static_cast<double>(ggml_type_size(settings.cache_type)) / ggml_blck_size(settings.cache_type);
  const double needed = 2.0 * facts.layer_count * settings.cell_count * row_size * bytes_per_value;
  double available = 0;
  device::ForEach([&available](ggml_backend_dev_t device) {
    size_t free = 0;
    size_t total = 0;
    ggml_backend_dev_memory(device, &free, &total);
    available += static_cast<double>(total);
  });
  if (available == 0 || needed <= available) return;
  throw NativeError(ErrorCode::kContextFailed,
                    "A context of " + std::to_string(settings.cell_count) + " cells takes about " +
                        std::to_string(static_cast<int64_t>(needed / 1e9)) +
                        " GB, more than the memory of this machine (" +
                        std::to_string(static_cast<int64_t>(available / 1e9)) + " GB). Ask for fewer cells.");
}

}  // namespace

KvCache::KvCache(const LoadedModel& model, const ContextSettings& settings, ggml_abort_callback is_ending, void* data)
    : model_(model),
      output_(settings.output),
      threads_(settings.thread_count, !settings.measures_threads),
      pool_(thread_pool::Make(settings.thread_count)) {
  CheckMemory(model.Model(), model.Facts(), settings);
  // A decode has to hold the next token of every sequence, and a non-causal image in one micro batch.
  int32_t micro_batch = settings.micro_batch_size;
  if (model.Projector() != nullptr) micro_batch = std::max(micro_batch, model.Projector()->NonCausalRowCount());
  const int32_t batch = std::max({settings.batch_size, settings.sequence_count, micro_batch});

  if (model.Facts().sliding_window > 0 && model.Facts().ForksAnywhere()) second_lane_ = settings.sequence_count;
  if (settings.sequence_count + second_lane_ > static_cast<int32_t>(llama_max_parallel_sequences())) {
    throw NativeError(ErrorCode::kInvalidArgument, "Expected sequenceCount to be at most " +
                                                       std::to_string(llama_max_parallel_sequences() / 2) +
                                                       " for a model with windowed attention but received " +
                                                       std::to_string(settings.sequence_count) + ".");
  }

  llama_context_params params = llama_context_default_params();
  params.n_ctx = settings.cell_count;
  params.n_batch = batch;
  params.n_ubatch = micro_batch;
  params.n_seq_max = settings.sequence_count + second_lane_;
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
  output_->Configure(params, batch);
  {
    const log::Capture capture;
    {
      const device::Reading reading;
      const assertions::Thrown thrown;
      context_.reset(llama_init_from_model(model.Model(), params));
    }
    if (context_ == nullptr) {
      throw device::Failure("Cannot make a context of " + std::to_string(settings.cell_count) +
                                " cells: " + capture.Reason("out of memory?") + " Ask for fewer cells or sequences.",
                            ErrorCode::kContextFailed);
    }
  }
  if (settings.steering.has_value()) Steer(*settings.steering);
  if (pool_ != nullptr) llama_attach_threadpool(context_.get(), pool_.get(), nullptr);
  facts_.cell_count = static_cast<int32_t>(llama_n_ctx(context_.get()));
  facts_.sequence_count = settings.sequence_count;
  facts_.batch_size = static_cast<int32_t>(llama_n_batch(context_.get()));
  facts_.micro_batch_size = static_cast<int32_t>(llama_n_ubatch(context_.get()));
  facts_.forks_anywhere = model.Facts().ForksAnywhere();
  lane_is_used_.assign(settings.sequence_count, false);
  cells_ = CellLedger(facts_.cell_count);
  llama_set_abort_callback(context_.get(), is_ending, data);
}

// llama.cpp takes a row for every layer but the first, and adds those of the layers that it is given alone.
void KvCache::Steer(const Steering& steering) {
  const auto size = static_cast<size_t>(model_.Facts().embedding_size);
  std::vector<float> rows(size * static_cast<size_t>(model_.Facts().layer_count - 1), 0);
  std::copy(steering.direction.begin(), steering.direction.end(), rows.begin() + size * (steering.layer - 1));
  const log::Capture capture;
  const int32_t code = llama_set_adapter_cvec(context_.get(), rows.data(), rows.size(), static_cast<int32_t>(size),
                                              steering.layer, steering.layer);
  if (code == 0) return;
  throw device::Failure("Cannot steer a context at layer " + std::to_string(steering.layer) + ": " +
                            capture.Reason("out of memory?") + " Make one without steering.",
                        ErrorCode::kContextFailed);
}

// llama.cpp waits for the device before it frees a context, in a destructor: where the device is lost, that wait would
// end the process. Then the context is left behind, with what the device no longer has.
KvCache::~KvCache() {
  if (context_ == nullptr) return;
  try {
    llama_synchronize(context_.get());
  } catch (...) {
    static_cast<void>(context_.release());
  }
}

int32_t KvCache::FreeLaneCount() const {
  return static_cast<int32_t>(std::count(lane_is_used_.begin(), lane_is_used_.end(), false));
}

llama_seq_id KvCache::TakeLane() {
  const auto lane = std::find(lane_is_used_.begin(), lane_is_used_.end(), false);
  if (lane == lane_is_used_.end()) return -1;
  *lane = true;
  return static_cast<llama_seq_id>(lane - lane_is_used_.begin());
}

void KvCache::AddLanes(const Sequence& sequence, std::vector<llama_seq_id>& lanes) const {
  lanes.push_back(sequence.lane);
  if (second_lane_ > 0) lanes.push_back(sequence.lane + second_lane_);
}

// Rows from a position on, -1 = all, out of llama.cpp's cache. False where its memory cannot be cut there.
bool KvCache::RemoveRows(const Sequence& sequence, llama_pos first) {
  llama_memory_t memory = llama_get_memory(context_.get());
  if (second_lane_ > 0) llama_memory_seq_rm(memory, sequence.lane + second_lane_, first, -1);
  return llama_memory_seq_rm(memory, sequence.lane, first, -1);
}

// All rows of a lane become this sequence's too; the lane may be its own.
void KvCache::ShareRows(llama_seq_id from, const Sequence& to) {
  llama_memory_t memory = llama_get_memory(context_.get());
  if (from != to.lane) llama_memory_seq_cp(memory, from, to.lane, -1, -1);
  if (second_lane_ > 0) llama_memory_seq_cp(memory, from, to.lane + second_lane_, -1, -1);
}

void KvCache::Share(const Sequence& parent, Sequence& child) {
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
}

bool KvCache::Cut(Sequence& sequence, int32_t token_count, llama_pos position) {
  if (!RemoveRows(sequence, position)) return false;
  DropCells(sequence, token_count);
  sequence.position = position;
  sequence.content = NewContent();
  return true;
}

void KvCache::Empty(Sequence& sequence) {
  RemoveRows(sequence, -1);
  DropCells(sequence, 0);
  sequence.pending.clear();
  sequence.output.reset();
  sequence.position = 0;
  sequence.content = 0;
  sequence.least_trim = 0;
}

bool KvCache::Rewind(Sequence& sequence, uint64_t content) {
  if (!RemoveRows(sequence, sequence.position == 0 ? -1 : sequence.position)) {
    Empty(sequence);
    sequence.is_lost = true;
    return false;
  }
  if (sequence.pending.empty() || sequence.pending.front().first_row == 0) return true;
  DropCells(sequence, sequence.images.back().first_cell);
  sequence.pending.front().first_row = 0;
  sequence.pending.front().is_read_whole = true;
  sequence.content = sequence.cells.empty() ? 0 : content;
  return true;
}

// Of the ledger alone: cells from this one on, and the images that begin there.
void KvCache::DropCells(Sequence& sequence, int32_t first) {
  for (int32_t i = first; i < sequence.TokenCount(); i++) cells_.Drop(sequence.cells[i]);
  sequence.cells.resize(first);
  while (!sequence.images.empty() && sequence.images.back().first_cell >= first) sequence.images.pop_back();
}

bool KvCache::WriteState(const Sequence& sequence, uint8_t* out, size_t size) const {
  return llama_state_seq_get_data(context_.get(), out, size, sequence.lane) == size;
}

bool KvCache::ReadState(Sequence& sequence, const uint8_t* in, size_t size, int32_t cell_count) {
  sequence.cells.reserve(cell_count);
  if (size > 0 && llama_state_seq_set_data(context_.get(), in, size, sequence.lane) != size) return false;
  ShareRows(sequence.lane, sequence);
  for (int32_t i = 0; i < cell_count; i++) sequence.cells.push_back(cells_.Take(1));
  return true;
}

// The next decode writes over them.
void KvCache::CopyLentRows() {
  for (const std::weak_ptr<Row>& lent : lent_rows_) {
    const std::shared_ptr<Row> row = lent.lock();
    if (row != nullptr) row->Copy();
  }
  lent_rows_.clear();
}

int32_t KvCache::Decode(const llama_batch& batch) {
  CopyLentRows();
  output_->Prepare(context_.get(), batch);
  const int32_t thread_count = threads_.Next(batch.n_tokens);
  llama_set_n_threads(context_.get(), thread_count, thread_count);
  const auto start = std::chrono::steady_clock::now();
  try {
    const int32_t code = llama_decode(context_.get(), batch);
    if (code != 0) return code;
    llama_synchronize(context_.get());
    threads_.Took(MillisecondsSince(start));
    return code;
  } catch (...) {
    // llama.cpp holds its buffers for reserved though that was what failed, and would run into them with the next
    // decode: a change of the mask, to and fro, has it reserve them again.
    SetCausal(false);
    SetCausal(true);
    throw;
  }
}

OutputRow KvCache::OutputOf(int32_t row_of_batch) {
  const float* values = output_->Row(context_.get(), row_of_batch);
  if (values == nullptr) return nullptr;
  const auto row = std::make_shared<eta::Row>(values, OutputSize());
  lent_rows_.push_back(row);
  return row;
}

}  // namespace eta
