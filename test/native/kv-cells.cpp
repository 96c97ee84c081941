// Random operations on llama.cpp's cells of a KV cache, corrected, against the plainest bookkeeping there is. Prints how many
// operations were made and how many left something different.
#include "llama-kv-cells.h"

#include <cstdio>
#include <map>
#include <random>
#include <set>

namespace {

constexpr uint32_t kCells = 48;
constexpr llama_seq_id kSequences = 6;
constexpr llama_pos kPositions = 40;

struct Plain {
  llama_pos position = -1;
  std::set<llama_seq_id> sequences;
};
using Cells = std::vector<Plain>;

void Drop(Plain& cell) { cell = Plain(); }

bool AreEqual(const llama_kv_cells& cells, const Cells& plain) {
  uint32_t used = 0;
  for (uint32_t i = 0; i < kCells; i++) {
    if (cells.is_empty(i) != (plain[i].position < 0)) return false;
    if (plain[i].position >= 0) {
      used++;
      if (cells.pos_get(i) != plain[i].position) return false;
      if (cells.seq_count(i) != static_cast<int>(plain[i].sequences.size())) return false;
    }
    for (llama_seq_id s = 0; s < kSequences; s++) {
      if (cells.seq_has(i, s) != (plain[i].sequences.count(s) != 0)) return false;
    }
  }
  if (cells.get_used() != used) return false;
  for (llama_seq_id s = 0; s < kSequences; s++) {
    std::set<std::pair<llama_pos, uint32_t>> held;
    for (uint32_t i = 0; i < kCells; i++) {
      if (plain[i].sequences.count(s) != 0) held.insert({plain[i].position, i});
    }
    if (cells.seq_pos_min(s) != (held.empty() ? -1 : held.begin()->first)) return false;
    if (cells.seq_pos_max(s) != (held.empty() ? -1 : held.rbegin()->first)) return false;
    for (llama_pos p = 0; p < kPositions; p++) {
      llama_token token = LLAMA_TOKEN_NULL;
      for (const auto& [position, i] : held) {
        if (position <= p) token = static_cast<llama_token>(i);  // what Take writes
      }
      if (cells.seq_pos_tok_le(s, p) != token) return false;
    }
  }
  return true;
}

class World {
 public:
  explicit World(uint32_t seed) : random_(seed), plain_(kCells) { cells_.resize(kCells); }

  // One operation. False where something differs behind it.
  bool Step() {
    switch (Below(6)) {
      case 0:
      case 1:
        Take();
        break;
      case 2:
        return RemoveSequence() && AreEqual(cells_, plain_);
      case 3:
        CopySequence();
        break;
      case 4:
        Clear();
        break;
      default:
        Put();
    }
    return AreEqual(cells_, plain_);
  }

 private:
  uint32_t Below(uint32_t end) { return static_cast<uint32_t>(random_() % end); }

  // A cell that a decode fills, for one sequence or several; positions may come twice, as a picture's do.
  void Take() {
    const uint32_t i = Below(kCells);
    if (plain_[i].position >= 0) return;
    plain_[i].position = static_cast<llama_pos>(Below(kPositions));
    cells_.pos_set(i, plain_[i].position);
    cells_.ext_set(i, {0, 0, static_cast<llama_token>(i)});
    for (llama_seq_id s = 0; s < kSequences; s++) {
      if (Below(3) != 0 && (s + 1 < kSequences || !plain_[i].sequences.empty())) continue;
      plain_[i].sequences.insert(s);
      cells_.seq_add(i, s);
    }
  }

  bool RemoveSequence() {
    const auto s = static_cast<llama_seq_id>(Below(kSequences));
    const bool is_all = Below(3) == 0;
    const llama_pos p0 = is_all ? 0 : static_cast<llama_pos>(Below(kPositions));
    const llama_pos p1 = is_all ? std::numeric_limits<llama_pos>::max() : p0 + static_cast<llama_pos>(Below(20));
    uint32_t first = kCells;
    for (uint32_t i = 0; i < kCells; i++) {
      if (plain_[i].position < p0 || plain_[i].position >= p1 || plain_[i].sequences.erase(s) == 0) continue;
      if (!plain_[i].sequences.empty()) continue;
      Drop(plain_[i]);
      first = std::min(first, i);
    }
    return cells_.seq_rm(s, p0, p1) == first;
  }

  void CopySequence() {
    const auto from = static_cast<llama_seq_id>(Below(kSequences));
    const auto to = static_cast<llama_seq_id>(Below(kSequences));
    if (from == to) return;
    const llama_pos p0 = Below(2) == 0 ? 0 : static_cast<llama_pos>(Below(kPositions));
    const llama_pos p1 = Below(2) == 0 ? std::numeric_limits<llama_pos>::max() : p0 + static_cast<llama_pos>(Below(20));
    for (Plain& cell : plain_) {
      if (cell.position >= p0 && cell.position < p1 && cell.sequences.count(from) != 0) cell.sequences.insert(to);
    }
    cells_.seq_cp(from, to, p0, p1);
  }

  void Clear() {
    const uint32_t i = Below(kCells);
    if (plain_[i].position < 0) return;
    if (Below(2) == 0) {
      cells_.rm(i);
      Drop(plain_[i]);
      return;
    }
    const auto s = static_cast<llama_seq_id>(Below(kSequences));
    const bool has = plain_[i].sequences.count(s) != 0;
    if (cells_.seq_keep(i, s) == has) plain_[i].position = -2;  // shows as a difference
    if (has) plain_[i].sequences = {s};
    if (!has) Drop(plain_[i]);
  }

  // Cells are copied, changed and put back, as llama.cpp does to find out whether a batch has room.
  void Put() {
    std::vector<uint32_t> places;
    for (uint32_t i = 0; i < kCells; i++) {
      if (Below(4) == 0) places.push_back(i);
    }
    const llama_kv_cells kept = cells_.cp(places);
    for (const uint32_t i : places) {
      if (!cells_.is_empty(i) && Below(2) == 0) cells_.rm(i);
    }
    for (const uint32_t i : places) {
      if (!cells_.is_empty(i) || Below(2) == 0) continue;
      cells_.pos_set(i, 3);
      cells_.seq_add(i, 0);
    }
    cells_.set(places, kept);
  }

  std::mt19937 random_;
  llama_kv_cells cells_;
  Cells plain_;
};

}  // namespace

int main() {
  int operations = 0;
  int differences = 0;
  for (uint32_t seed = 0; seed < 200; seed++) {
    World world(seed);
    for (int step = 0; step < 300; step++, operations++) {
      if (world.Step()) continue;
      differences++;
      break;
    }
  }
  std::printf("%d\t%d\n", operations, differences);
  return 0;
}
