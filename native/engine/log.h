#pragma once

#include <string>

namespace eta::log {

// Routes the log of llama.cpp, ggml and mtmd (process-wide in all three) here. Silent until SetLevel says otherwise.
void Install();

// 0 silent, 1 error, 2 warn, 3 info, 4 debug; printed to stderr.
void SetLevel(int level);

// While it lives, keeps what this thread's llama.cpp calls complain about, so that a failure can say why.
class Capture {
 public:
  Capture();
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  // The last few complaints on one line, or `fallback` when there were none.
  std::string Reason(const char* fallback) const;

 private:
  std::string text_;
  std::string* previous_;  // captures nest; the innermost one listens
};

}  // namespace eta::log
