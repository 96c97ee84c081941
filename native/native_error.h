#pragma once

#include <stdexcept>
#include <string>

namespace eta {

// What may go wrong on either thread, before it becomes a JS Error with the same `code` (NativeErrorCode in
// src/native/binding-types.ts).
class NativeError : public std::runtime_error {
 public:
  NativeError(const char* code, const std::string& message) : std::runtime_error(message), code_(code) {}
  const char* Code() const { return code_; }

 private:
  const char* code_;  // a string literal
};

}  // namespace eta
