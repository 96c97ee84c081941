#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ggml-cpp.h"
#include "ggml.h"
#include "gguf.h"

namespace eta {

struct FreeGguf {
  void operator()(gguf_context* file) const { gguf_free(file); }
};

// A GGUF's head: keys, and tensors without their numbers.
struct GgufHead {
  std::unique_ptr<gguf_context, FreeGguf> file;
  ggml_context_ptr meta;
};

// Says what is wrong with a file, and does not return.
using GgufFail = std::function<void(const std::string&)>;

GgufHead ReadGgufHead(const std::string& path, const GgufFail& fail);

}  // namespace eta
