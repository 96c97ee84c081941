#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/output.h"
#include "engine/sampler.h"
#include "engine/vision.h"

namespace eta {

// Input that waits for a decode: one token, or a chunk of an image, of which the first rows may be cells already.
struct PendingItem {
  llama_token token = LLAMA_TOKEN_NULL;
  std::shared_ptr<const vision::ImageChunk> chunk;  // null for a token
  int32_t first_row = 0;                            // that waits
  // A step of it failed: it is read in one turn, so that a failure that stays is met before anything is brought.
  bool is_read_whole = false;

  bool IsImage() const { return chunk != nullptr; }
  int32_t RowCount() const { return IsImage() ? chunk->row_count - first_row : 1; }
  bool operator==(const PendingItem& other) const {
    return token == other.token && chunk == other.chunk && first_row == other.first_row;
  }
};

// Where image rows stand in a sequence: they cannot be cut, and under M-RoPE they take fewer positions than cells. The
// last of the cells may be still to come.
struct ImageSpan {
  int32_t first_cell = 0;
  int32_t cell_count = 0;
  int32_t position_count = 0;
};

// A lane of the KV cache. Its id is never used again, the lane is.
struct Sequence {
  int32_t id = 0;
  llama_seq_id lane = 0;
  std::vector<uint32_t> cells;  // cells it owns, alone or with forks, in order; counted by CellLedger
  std::vector<ImageSpan> images;
  llama_pos position = 0;  // of the next row; of an image's first row until its last is a cell
  std::vector<PendingItem> pending;
  // Equal keys mean equal content since a common fork (or both empty): such sequences may share rows.
  uint64_t content = 0;
  OutputRow output;  // of the last row; null once a token was drawn and waits, or after a trim
  std::optional<Sampler> sampler;
  // Tokens that a trim must leave, or none at all: windows before the end of saved bytes are not in them.
  int32_t least_trim = 0;
  // A step failed, and a running state could not be taken back: it holds nothing, and runs no more.
  bool is_lost = false;

  // Memory for rows that a step is about to add, and for a token drawn behind them: what is decoded is then written
  // down without anything that can fail.
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

}  // namespace eta
