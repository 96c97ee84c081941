#include "engine/gguf_check.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string_view>
#include <unordered_set>

#include "engine/log.h"
#include "ggml.h"
#include "gguf.h"

namespace eta {

namespace {

struct FreeGguf {
  void operator()(gguf_context* file) const { gguf_free(file); }
};
using GgufPtr = std::unique_ptr<gguf_context, FreeGguf>;

std::string Text(const gguf_context* file, const std::string& key) {
  const int64_t id = gguf_find_key(file, key.c_str());
  return id >= 0 && gguf_get_kv_type(file, id) == GGUF_TYPE_STRING ? gguf_get_val_str(file, id) : "";
}

// A count stored as uint32 or int32, as llama.cpp accepts it; `missing` when the key is absent or of another type.
int64_t Count(const gguf_context* file, const std::string& key, int64_t missing) {
  const int64_t id = gguf_find_key(file, key.c_str());
  if (id < 0) return missing;
  switch (gguf_get_kv_type(file, id)) {
    case GGUF_TYPE_UINT32:
      return gguf_get_val_u32(file, id);
    case GGUF_TYPE_INT32:
      return gguf_get_val_i32(file, id);
    default:
      return missing;
  }
}

bool HasRepeatedTokens(const gguf_context* file) {
  const int64_t id = gguf_find_key(file, "tokenizer.ggml.tokens");
  if (id < 0 || gguf_get_kv_type(file, id) != GGUF_TYPE_ARRAY || gguf_get_arr_type(file, id) != GGUF_TYPE_STRING) {
    return false;
  }
  const size_t count = gguf_get_arr_n(file, id);
  std::unordered_set<std::string_view> seen;
  seen.reserve(count);
  for (size_t i = 0; i < count; i++) {
    const std::string_view text = gguf_get_arr_str(file, id, i);
    // llama.cpp gives empty tokens names of their own.
    if (!text.empty() && !seen.insert(text).second) return true;
  }
  return false;
}

// Bytes that the header promises; libmtmd would read zeros behind the end of a shorter file.
uint64_t PromisedSize(const gguf_context* file) {
  uint64_t size = 0;
  for (int64_t id = 0; id < gguf_get_n_tensors(file); id++) {
    size = std::max<uint64_t>(size, gguf_get_tensor_offset(file, id) + gguf_get_tensor_size(file, id));
  }
  return gguf_get_data_offset(file) + size;
}

}  // namespace

void CheckGguf(const std::string& path, bool wants_projector, ErrorCode code) {
  const std::string what = wants_projector ? "projector" : "language model";
  const auto fail = [&](const std::string& reason) {
    throw NativeError(code, "Cannot load the " + what + " " + path + ": " + reason);
  };

  std::ifstream stream(std::filesystem::u8path(path), std::ios::binary);
  char magic[4] = {};
  if (!stream.read(magic, 4)) fail("the file cannot be read. Check the path.");
  if (std::string_view(magic, 4) != "GGUF") {
    fail("expected a GGUF file, but it starts differently. Convert the model to GGUF.");
  }
  stream.close();

  GgufPtr file;
  {
    const log::Capture capture;
    gguf_init_params params = {};
    params.no_alloc = true;
    file.reset(gguf_init_from_file(path.c_str(), params));
    if (file == nullptr) fail("its header is broken (" + capture.Reason("truncated?") + "). Download it again.");
  }

  const uint64_t promised = PromisedSize(file.get());
  const uint64_t actual = std::filesystem::file_size(std::filesystem::u8path(path));
  if (actual < promised) {
    fail("it is cut off (" + std::to_string(actual) + " of " + std::to_string(promised) +
         " bytes). Download it again.");
  }

  const std::string architecture = Text(file.get(), "general.architecture");
  const bool is_projector = architecture == "clip" || architecture == "mmproj";
  if (is_projector && !wants_projector) {
    fail("this file is a projector (mmproj). Give it as the projector, and the language model's own GGUF here.");
  }
  if (wants_projector) {
    if (!is_projector) {
      fail("expected a projector (mmproj) but it is a model of architecture \"" + architecture +
           "\". Give the mmproj file that belongs to the language model.");
    }
    return;
  }

  if (architecture.empty()) fail("it names no architecture (general.architecture). Convert it again.");
  const std::string type = Text(file.get(), "general.type");
  if (!type.empty() && type != "model") fail("expected a model but its general.type is \"" + type + "\".");
  const int64_t layers = Count(file.get(), architecture + ".block_count", 1);
  if (layers < 1 || layers > 512) {
    fail("expected " + architecture + ".block_count from 1 to 512 but it is " + std::to_string(layers) + ".");
  }
  const int64_t experts = Count(file.get(), architecture + ".expert_count", 0);
  const int64_t experts_used = Count(file.get(), architecture + ".expert_used_count", 0);
  if (experts < 0 || experts > 1024 || experts_used < 0 || experts_used > experts ||
      (experts > 0) != (experts_used > 0)) {
    fail("its expert counts do not fit each other (" + std::to_string(experts_used) + " of " + std::to_string(experts) +
         ").");
  }
  if (HasRepeatedTokens(file.get())) fail("its vocabulary has the same token twice. Convert it again.");
}

}  // namespace eta
