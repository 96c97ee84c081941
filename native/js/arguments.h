#pragma once

#include <napi.h>

#include <cstdint>
#include <string>
#include <vector>

// Reading of JS values into plain ones, before any work is queued. Everything that does not fit throws a JS Error with
// code INVALID_ARGUMENT whose message names the argument, what was expected and what came.
namespace eta::arguments {

Napi::Error Invalid(Napi::Env env, const std::string& name, const std::string& expected, const Napi::Value& received);

bool IsInteger(const Napi::Value& value, int64_t min, int64_t max);
int64_t Integer(const Napi::Value& value, const std::string& name, int64_t min, int64_t max);
double Number(const Napi::Value& value, const std::string& name, double min, double max);
bool Boolean(const Napi::Value& value, const std::string& name);
std::string Text(const Napi::Value& value, const std::string& name);
Napi::Object Object(const Napi::Value& value, const std::string& name);
Napi::Array Array(const Napi::Value& value, const std::string& name);
// One of the words; returns its index.
size_t Choice(const Napi::Value& value, const std::string& name, const std::vector<const char*>& words);
// An Int32Array of vocabulary indices, each checked against [0, vocabulary_size).
std::vector<int32_t> Tokens(const Napi::Value& value, const std::string& name, int32_t vocabulary_size);
// A Float32Array of so many finite numbers.
std::vector<float> Floats(const Napi::Value& value, const std::string& name, int32_t count);
// A copy of the bytes of a Uint8Array (or a Buffer).
std::vector<uint8_t> Bytes(const Napi::Value& value, const std::string& name);

// The bytes of a Uint8Array (or a Buffer). Shared memory is read where it lies, on any thread: it cannot be taken away
// while the array is kept alive. Other memory can, and is copied.
class LentBytes {
 public:
  LentBytes(const Napi::Value& value, const std::string& name);
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  std::vector<uint8_t> copy_;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace eta::arguments
