#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/cell_ledger.h"
#include "engine/loaded_model.h"
#include "engine/output.h"
#include "engine/sequence.h"
#include "engine/thread_count.h"
#include "engine/thread_pool.h"
#include "llama-cpp.h"

namespace eta {

// A direction [embedding_size] that is added to every row's state behind a layer, 1 to the layer count - 1.
struct Steering {
  int32_t layer = 0;
  std::vector<float> direction;
};

// NativeContextOptions, checked.
struct ContextSettings {
  int32_t cell_count = 0;
  int32_t sequence_count = 0;
  int32_t batch_size = 0;
  int32_t micro_batch_size = 0;
  int32_t thread_count = 1;
  bool measures_threads = false;  // thread_count is the most then
  llama_flash_attn_type flash_attention = LLAMA_FLASH_ATTN_TYPE_AUTO;
  ggml_type cache_type = GGML_TYPE_F16;
  std::optional<Steering> steering;
  std::shared_ptr<Output> output;
};

// What llama.cpp made of them.
struct ContextFacts {
  int32_t cell_count = 0;
  int32_t sequence_count = 0;
  int32_t batch_size = 0;
  int32_t micro_batch_size = 0;
  bool forks_anywhere = true;
};

// A llama.cpp context: the cells, the lanes in which sequences own them, and the decode of a batch.
class KvCache {
 public:
  // Throws NativeError CONTEXT_FAILED, INVALID_ARGUMENT. A decode ends early where `is_ending` says yes.
  KvCache(const LoadedModel& model, const ContextSettings& settings, ggml_abort_callback is_ending, void* data);
  KvCache(const KvCache&) = delete;
  KvCache& operator=(const KvCache&) = delete;
  ~KvCache();

  const ContextFacts& Facts() const { return facts_; }
  int32_t FreeCellCount() const { return cells_.FreeCount(); }
  int32_t UsedCellCount() const { return cells_.UsedCount(); }

  // Lanes that no sequence has, and one of them, or -1.
  int32_t FreeLaneCount() const;
  llama_seq_id TakeLane();
  void ReturnLane(llama_seq_id lane) { lane_is_used_[lane] = false; }
  // Everything that owns the sequence's cells, as llama.cpp counts it.
  void AddLanes(const Sequence& sequence, std::vector<llama_seq_id>& lanes) const;

  // An empty child becomes equal to its parent, and shares its cells.
  void Share(const Sequence& parent, Sequence& child);
  // A cell that a decode has filled for so many sequences, which write it down; FreeCellCount was asked before.
  uint32_t TakeCell(uint16_t owner_count) { return cells_.Take(owner_count); }
  // Drops the cells from `token_count` on, which is at `position` and in no image. False where the memory cannot be cut
  // there: nothing has changed then.
  bool Cut(Sequence& sequence, int32_t token_count, llama_pos position);
  void Empty(Sequence& sequence);
  // Takes rows that a step has left behind the sequence's end out of llama.cpp's cache, and with them all rows of an
  // image that was partly read: under M-RoPE they stand at one position. False where that cannot be done, a running
  // state having moved on: then the sequence is lost. `content` is that of the sequence without the image.
  bool Rewind(Sequence& sequence, uint64_t content);
  // A key for content that came to be now; see Sequence::content.
  uint64_t NewContent() { return next_content_++; }

  // llama.cpp's bytes of a sequence; a size of 0, or false, where it fails.
  size_t StateSize(const Sequence& sequence) const { return llama_state_seq_get_size(context_.get(), sequence.lane); }
  bool WriteState(const Sequence& sequence, uint8_t* out, size_t size) const;
  // Into an empty sequence, which then owns `cell_count` cells.
  bool ReadState(Sequence& sequence, const uint8_t* in, size_t size, int32_t cell_count);

  // Whether rows see those behind them in the same batch.
  void SetCausal(bool is_causal) { llama_set_causal_attn(context_.get(), is_causal); }
  // What llama_decode returns, and throws.
  int32_t Decode(const llama_batch& batch);
  // Of a row of the batch that was decoded last. Null where llama.cpp has none.
  OutputRow OutputOf(int32_t row_of_batch);
  int32_t OutputSize() const { return output_->Size(model_.Facts()); }
  const Output& KeptOutput() const { return *output_; }
  // Threads of the last step.
  int32_t LastThreadCount() const { return threads_.Last(); }

 private:
  void Steer(const Steering& steering);
  bool RemoveRows(const Sequence& sequence, llama_pos first);
  void ShareRows(llama_seq_id from, const Sequence& to);
  void DropCells(Sequence& sequence, int32_t first);
  void CopyLentRows();

  const LoadedModel& model_;
  std::shared_ptr<Output> output_;
  ContextFacts facts_;
  ThreadCount threads_;
  thread_pool::Pool pool_;  // outlives the context, which computes in it
  llama_context_ptr context_;
  std::vector<bool> lane_is_used_;
  // llama.cpp gives away a cell that has left the window of its only owner, though a trim may bring it back: under
  // windowed attention each sequence has a second lane, this much further, that owns whatever the first one does.
  // 0 where none is needed.
  llama_seq_id second_lane_ = 0;
  CellLedger cells_{0};
  std::vector<std::weak_ptr<Row>> lent_rows_;  // of the last step, in llama.cpp's memory
  uint64_t next_content_ = 1;                  // 0 = empty
};

}  // namespace eta
