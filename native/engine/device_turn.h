#pragma once

// One turn at a time on a device of onnxruntime's, for all threads of the process: its WebGPU provider crashes when
// sessions of two threads run at once.
namespace eta {

class DeviceTurn {
 public:
  ~DeviceTurn() { Leave(); }
  // Waits for it; at once where this one has it already.
  void Enter();
  void Leave();

 private:
  bool is_mine_ = false;
};

}  // namespace eta
