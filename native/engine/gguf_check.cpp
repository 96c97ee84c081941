#include "engine/gguf_check.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>
#include <unordered_set>

#include "engine/gguf_head.h"

namespace eta {

namespace {

constexpr const char* kAgain =
    "The file is damaged, or made for another program: download it again, or convert it again.";

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

double Float(const gguf_context* file, int64_t id) {
  switch (gguf_get_kv_type(file, id)) {
    case GGUF_TYPE_FLOAT32:
      return gguf_get_val_f32(file, id);
    case GGUF_TYPE_FLOAT64:
      return gguf_get_val_f64(file, id);
    default:
      return 0;  // llama.cpp refuses it, where it reads it
  }
}

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// A key whose number a norm would be computed with, and that is none for it; "" where there is none.
std::string WrongEpsilon(const gguf_context* file) {
  for (int64_t id = 0; id < gguf_get_n_kv(file); id++) {
    const std::string_view key = gguf_get_key(file, id);
    if (!EndsWith(key, "epsilon") && !EndsWith(key, "eps")) continue;
    const double value = Float(file, id);
    if (!(value >= 0) || !std::isfinite(value)) return std::string(key);
  }
  return "";
}

// A tensor whose numbers ggml cannot compute with where they stand: norms and biases are added and multiplied number by
// number, which it does in float32 alone; a matrix of integers it does not multiply. "" where there is none. `meta`:
// the tensors' shapes.
std::string WrongTensor(const gguf_context* file, ggml_context* meta) {
  for (int64_t id = 0; id < gguf_get_n_tensors(file); id++) {
    const std::string_view name = gguf_get_tensor_name(file, id);
    const ggml_tensor* tensor = ggml_get_tensor(meta, gguf_get_tensor_name(file, id));
    if (tensor == nullptr) continue;
    const bool is_vector = ggml_n_dims(tensor) <= 1;
    const bool is_weight = EndsWith(name, ".weight") || EndsWith(name, ".bias");
    if (is_vector && (ggml_is_quantized(tensor->type) || (is_weight && tensor->type != GGML_TYPE_F32))) {
      return std::string(name);
    }
    const bool is_number = tensor->type == GGML_TYPE_I8 || tensor->type == GGML_TYPE_I16 ||
                           tensor->type == GGML_TYPE_I32 || tensor->type == GGML_TYPE_I64 ||
                           tensor->type == GGML_TYPE_F64;
    if (!is_vector && is_number && EndsWith(name, ".weight")) return std::string(name);
  }
  return "";
}

// Rows that a position table of fixed size lacks for the picture's patches; 0 where it has all, or its projector reads
// it otherwise. These are the types whose graph looks rows up by the patch's number.
int64_t MissingPositions(const gguf_context* file, ggml_context* meta) {
  std::string type = Text(file, "clip.projector_type");
  if (type.empty()) type = Text(file, "clip.vision.projector_type");
  const bool looks_up = type == "mlp" || type == "mlp_norm" || type == "ldp" || type == "ldpv2" || type == "adapter";
  const ggml_tensor* table = ggml_get_tensor(meta, "v.position_embd.weight");
  const int64_t size = Count(file, "clip.vision.image_size", 0);
  const int64_t patch = Count(file, "clip.vision.patch_size", 0);
  if (!looks_up || table == nullptr || size <= 0 || patch <= 0) return 0;
  const int64_t side = size / patch;
  const int64_t class_rows = ggml_get_tensor(meta, "v.class_embd") == nullptr ? 0 : 1;
  return std::max<int64_t>(0, side * side + class_rows - table->ne[1]);
}

// Bytes that the header promises; libmtmd would read zeros behind the end of a shorter file.
uint64_t PromisedSize(const gguf_context* file) {
  uint64_t size = 0;
  for (int64_t id = 0; id < gguf_get_n_tensors(file); id++) {
    size = std::max<uint64_t>(size, gguf_get_tensor_offset(file, id) + gguf_get_tensor_size(file, id));
  }
  return gguf_get_data_offset(file) + size;
}

void CheckTensors(const GgufHead& head, const std::string& path, const GgufFail& fail) {
  const uint64_t promised = PromisedSize(head.file.get());
  const uint64_t actual = std::filesystem::file_size(std::filesystem::u8path(path));
  if (actual < promised) {
    fail("it is cut off (" + std::to_string(actual) + " of " + std::to_string(promised) +
         " bytes). Download it again.");
  }
  const std::string epsilon = WrongEpsilon(head.file.get());
  if (!epsilon.empty()) fail("expected " + epsilon + " to be a number >= 0. " + kAgain);
  const std::string tensor = WrongTensor(head.file.get(), head.meta.get());
  if (!tensor.empty()) fail("expected " + tensor + " in numbers that can be computed with. " + kAgain);
}

constexpr int64_t kMostLayers = 512;

void CheckProjector(const GgufHead& head, const std::string& architecture, bool is_projector, const GgufFail& fail) {
  if (!is_projector) {
    fail("expected a projector (mmproj) but it is a model of architecture \"" + architecture +
         "\". Give the mmproj file that belongs to the language model.");
  }
  for (const std::string key : {"clip.vision.block_count", "clip.audio.block_count"}) {
    // libmtmd makes room for each before it looks for its tensors.
    const int64_t layers = Count(head.file.get(), key, 0);
    if (layers < 0 || layers > kMostLayers) {
      fail("expected " + key + " from 0 to " + std::to_string(kMostLayers) + " but it is " + std::to_string(layers) +
           ". " + kAgain);
    }
  }
  const int64_t missing = MissingPositions(head.file.get(), head.meta.get());
  if (missing > 0) fail("its table of positions lacks " + std::to_string(missing) + " rows. " + kAgain);
}

void CheckLanguageModel(const gguf_context* file, const std::string& architecture, bool is_projector,
                        const GgufFail& fail) {
  if (is_projector) {
    fail("this file is a projector (mmproj). Give it as the projector, and the language model's own GGUF here.");
  }
  if (architecture.empty()) fail("it names no architecture (general.architecture). Convert it again.");
  const std::string type = Text(file, "general.type");
  if (!type.empty() && type != "model") fail("expected a model but its general.type is \"" + type + "\".");
  const int64_t layers = Count(file, architecture + ".block_count", 1);
  if (layers < 1 || layers > kMostLayers) {
    fail("expected " + architecture + ".block_count from 1 to " + std::to_string(kMostLayers) + " but it is " +
         std::to_string(layers) + ". " + kAgain);
  }
  const int64_t experts = Count(file, architecture + ".expert_count", 0);
  const int64_t experts_used = Count(file, architecture + ".expert_used_count", 0);
  if (experts < 0 || experts > 1024 || experts_used < 0 || experts_used > experts ||
      (experts > 0) != (experts_used > 0)) {
    fail("its expert counts do not fit each other (" + std::to_string(experts_used) + " of " + std::to_string(experts) +
         ").");
  }
  if (HasRepeatedTokens(file)) fail("its vocabulary has the same token twice. Convert it again.");
}

}  // namespace

void CheckGguf(const std::string& path, bool wants_projector, ErrorCode code) {
  const std::string what = wants_projector ? "projector" : "language model";
  const GgufFail fail = [&](const std::string& reason) {
    throw NativeError(code, "Cannot load the " + what + " " + path + ": " + reason);
  };
  const GgufHead head = ReadGgufHead(path, fail);
  CheckTensors(head, path, fail);
  const std::string architecture = Text(head.file.get(), "general.architecture");
  const bool is_projector = architecture == "clip" || architecture == "mmproj";
  if (wants_projector) {
    CheckProjector(head, architecture, is_projector, fail);
  } else {
    CheckLanguageModel(head.file.get(), architecture, is_projector, fail);
  }
}

}  // namespace eta
