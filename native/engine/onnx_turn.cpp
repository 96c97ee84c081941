#include "engine/onnx_turn.h"

#include <condition_variable>
#include <mutex>

namespace eta {

namespace {

// Never destroyed: threads may outlive static data.
struct Turn {
  std::mutex mutex;
  std::condition_variable left;
  bool is_taken = false;
};

Turn& TheTurn() {
  static Turn* const turn = new Turn();
  return *turn;
}

}  // namespace

bool OnnxTurn::Enter(std::chrono::milliseconds at_most) {
  if (is_mine_) return true;
  Turn& turn = TheTurn();
  std::unique_lock<std::mutex> lock(turn.mutex);
  if (!turn.left.wait_for(lock, at_most, [&turn] { return !turn.is_taken; })) return false;
  turn.is_taken = true;
  is_mine_ = true;
  return true;
}

void OnnxTurn::Leave() {
  if (!is_mine_) return;
  is_mine_ = false;
  Turn& turn = TheTurn();
  {
    const std::lock_guard<std::mutex> lock(turn.mutex);
    turn.is_taken = false;
  }
  turn.left.notify_one();
}

}  // namespace eta
