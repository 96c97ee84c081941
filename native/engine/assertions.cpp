#include "engine/assertions.h"

#include <cstdio>
#include <stdexcept>
#include <string>

#include "ggml.h"

namespace eta::assertions {

namespace {

thread_local bool is_throwing = false;

// The file's name without its folder, which says nothing to who reads it.
std::string Shortened(const std::string& message) {
  const size_t colon = message.find(':');
  const size_t slash = message.find_last_of("/\\", colon);
  return slash == std::string::npos ? message : message.substr(slash + 1);
}

// ggml aborts behind it.
void OnAbort(const char* message) {
  if (is_throwing) throw std::runtime_error(Shortened(message));
  std::fprintf(stderr, "%s\n", message);
}

}  // namespace

void Install() { ggml_set_abort_callback(OnAbort); }

Thrown::Thrown() : previous_(is_throwing) {
#ifndef _WIN32
  is_throwing = true;
#endif
}

Thrown::~Thrown() { is_throwing = previous_; }

void BeginComputing() { is_throwing = false; }

}  // namespace eta::assertions
