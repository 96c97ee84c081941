#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "sampler.h"
#include "vision.h"

namespace eta {

// Input that waits for a decode: one token, or a whole chunk of an image.
struct PendingItem {
  llama_token token = LLAMA_TOKEN_NULL;
  std::shared_ptr<const vision::ImageChunk> chunk;  // null for a token

  bool IsImage() const { return chunk != nullptr; }
  int32_t RowCount() const { return IsImage() ? chunk->row_count : 1; }
  bool operator==(const PendingItem& other) const { return token == other.token && chunk == other.chunk; }
};

// Where image rows stand in a sequence: they cannot be cut, and under M-RoPE they take fewer positions than cells.
struct ImageSpan {
  int32_t first_cell = 0;
  int32_t cell_count = 0;
  int32_t position_count = 0;
};

// What the model made of a row: logits [vocabulary_size], or the hidden state behind the last norm [embedding_size].
using OutputRow = std::shared_ptr<const std::vector<float>>;

// A lane of the KV cache. Its id is never used again, the lane is.
struct Sequence {
  int32_t id = 0;
  llama_seq_id lane = 0;
  std::vector<uint32_t> cells;  // cells it owns, alone or with forks, in order; counted by CellLedger
  std::vector<ImageSpan> images;
  llama_pos position = 0;  // of the next row
  std::vector<PendingItem> pending;
  // Equal keys mean equal content since a common fork (or both empty): such sequences may share rows.
  uint64_t content = 0;
  OutputRow output;  // of the last row; null once a token was drawn and waits, or after a trim
  std::optional<Sampler> sampler;
  int32_t least_trim = 0;  // tokens that a trim must leave, or none at all: windows before the end of saved bytes are not in them
  bool is_lost = false;  // a step failed, and a running state could not be taken back: it holds nothing, and runs no more

  // Memory for rows that a step is about to add, and for a token drawn behind them: what is decoded is then written down
  // without anything that can fail.
  void MakeRoom(int32_t row_count) {
    const size_t needed = cells.size() + row_count;
    if (needed > cells.capacity()) cells.reserve(std::max(needed, 2 * cells.capacity()));
    if (images.size() == images.capacity()) images.reserve(2 * images.size() + 1);
    if (pending.capacity() == 0) pending.reserve(1);
  }

  int32_t TokenCount() const { return static_cast<int32_t>(cells.size()); }
  int32_t PendingCount() const {
    int32_t count = 0;
    for (const PendingItem& item : pending) count += item.RowCount();
    return count;
  }
};

// Who owns which KV cell. llama.cpp does not tell how many are free, and a decode without room is to be known before.
// The numbers are ours, not llama.cpp's cell indices: only the count must agree.
class CellLedger {
 public:
  explicit CellLedger(int32_t capacity) : owner_counts_(capacity, 0) {
    for (int32_t cell = capacity - 1; cell >= 0; cell--) free_.push_back(cell);
  }
  int32_t FreeCount() const { return static_cast<int32_t>(free_.size()); }
  int32_t UsedCount() const { return static_cast<int32_t>(owner_counts_.size() - free_.size()); }
  // A cell with this many owners; the caller has checked FreeCount.
  uint32_t Take(uint16_t owner_count) {
    const uint32_t cell = free_.back();
    free_.pop_back();
    owner_counts_[cell] = owner_count;
    return cell;
  }
  void Share(uint32_t cell) { owner_counts_[cell]++; }
  void Drop(uint32_t cell) {
    if (--owner_counts_[cell] == 0) free_.push_back(cell);
  }

 private:
  std::vector<uint16_t> owner_counts_;
  std::vector<uint32_t> free_;
};

}  // namespace eta
