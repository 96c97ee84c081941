#pragma once

#include <chrono>

// One turn at a time on a device of onnxruntime's, for all threads of the process: its WebGPU provider crashes when
// sessions of two threads run at once.
namespace eta {

class OnnxTurn {
 public:
  OnnxTurn() = default;
  OnnxTurn(const OnnxTurn&) = delete;
  OnnxTurn& operator=(const OnnxTurn&) = delete;
  ~OnnxTurn() { Leave(); }
  // Waits for it, so long at most; at once where this one has it already. Whether it has it now.
  bool Enter(std::chrono::milliseconds at_most);
  void Leave();

 private:
  bool is_mine_ = false;
};

}  // namespace eta
