#include "engine/log.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <new>

#include "engine/vision.h"
#include "llama.h"

namespace eta::log {

namespace {

std::atomic<int> print_level{0};
thread_local std::string* captured = nullptr;
thread_local int last_level = 0;

int LevelOf(ggml_log_level level) {
  switch (level) {
    case GGML_LOG_LEVEL_ERROR:
      return 1;
    case GGML_LOG_LEVEL_WARN:
      return 2;
    case GGML_LOG_LEVEL_DEBUG:
      return 4;
    default:
      return 3;
  }
}

void OnLine(ggml_log_level level, const char* text, void*) {
  // A continued line has the level of the line that it continues.
  if (level != GGML_LOG_LEVEL_CONT) last_level = LevelOf(level);
  if (last_level == 1 && captured != nullptr && captured->size() < 4096) {
    try {
      captured->append(text);
    } catch (const std::bad_alloc&) {
      // The callers are C: nothing may be thrown through them, and a reason is not worth it.
    }
  }
  if (last_level <= print_level.load(std::memory_order_relaxed)) std::fputs(text, stderr);
}

}  // namespace

void Install() {
  llama_log_set(OnLine, nullptr);
  vision::SetLog(OnLine);
}

void SetLevel(int level) { print_level = level; }

Capture::Capture() : previous_(captured) { captured = &text_; }

Capture::~Capture() { captured = previous_; }

std::string Capture::Reason(const char* fallback) const {
  std::string line = text_;
  std::replace(line.begin(), line.end(), '\n', ' ');
  while (!line.empty() && line.back() == ' ') line.pop_back();
  if (line.empty()) return fallback;
  return line.size() > 500 ? line.substr(0, 500) + "..." : line;
}

}  // namespace eta::log
