#pragma once

#include <cstdint>
#include <vector>

namespace eta {

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
