#include "engine/nearest_text.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "engine/gguf_head.h"

namespace eta {

namespace {

constexpr const char* kTable = "token_embd.weight";

// Tokens that are compared at once: as many as a compiler makes a few vectors of.
constexpr int32_t kLanes = 16;

// The table of token embeddings in the model's file, read from its first row on.
class EmbeddingTable {
 public:
  explicit EmbeddingTable(const LoadedModel& model) : width_(model.Facts().embedding_size) {
    const std::string& path = model.Settings().model_path;
    const GgufFail fail = [&path](const std::string& reason) {
      throw NativeError(ErrorCode::kModelLoadFailed,
                        "Cannot read the token embeddings of the language model " + path + ": " + reason);
    };
    const GgufHead head = ReadGgufHead(path, fail);
    const ggml_tensor* tensor = ggml_get_tensor(head.meta.get(), kTable);
    const int64_t id = gguf_find_tensor(head.file.get(), kTable);
    if (tensor == nullptr || id < 0) {
      fail("this file has no " + std::string(kTable) + ". Of a split model, join the parts into one file first.");
    }
    if (tensor->ne[0] != width_ || tensor->ne[1] < model.Facts().vocabulary_size || tensor->ne[2] != 1 ||
        tensor->ne[3] != 1) {
      fail("expected " + std::to_string(width_) + " x " + std::to_string(model.Facts().vocabulary_size) +
           " numbers in " + kTable + " but it has " + std::to_string(tensor->ne[0]) + " x " +
           std::to_string(tensor->ne[1]) + ". Was the file changed? Load the model again.");
    }
    type_ = tensor->type;
    to_float_ = ggml_get_type_traits(type_)->to_float;
    const int64_t block_size = ggml_blck_size(type_);
    if ((to_float_ == nullptr && type_ != GGML_TYPE_F32) || block_size < 1 || width_ % block_size != 0) {
      fail("its " + std::string(kTable) + " is of type " + ggml_type_name(type_) +
           ", which cannot be read as numbers. Take another quantisation.");
    }
    bytes_.resize(ggml_row_size(type_, width_));
    stream_.open(std::filesystem::u8path(path), std::ios::binary);
    stream_.seekg(static_cast<std::streamoff>(gguf_get_data_offset(head.file.get()) +
                                              gguf_get_tensor_offset(head.file.get(), id)));
    if (!stream_) fail("it cannot be read. Check the path.");
  }

  int32_t Width() const { return width_; }

  // The next row: [Width()].
  void Read(float* row) {
    if (!stream_.read(bytes_.data(), static_cast<std::streamsize>(bytes_.size()))) {
      throw NativeError(ErrorCode::kModelLoadFailed,
                        "The language model's file ends within its token embeddings. "
                        "Was it changed? Load the model again.");
    }
    if (to_float_ == nullptr) {
      std::memcpy(row, bytes_.data(), bytes_.size());
    } else {
      to_float_(bytes_.data(), row, width_);
    }
  }

 private:
  int32_t width_;
  ggml_type type_ = GGML_TYPE_F32;
  ggml_to_float_t to_float_ = nullptr;
  std::vector<char> bytes_;  // of a row
  std::ifstream stream_;
};

// Whether a token stands for text, whatever it is.
bool IsText(const llama_vocab* vocabulary, llama_token token) {
  constexpr int kOthers = LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN | LLAMA_TOKEN_ATTR_UNUSED;
  return (llama_vocab_get_attr(vocabulary, token) & kOthers) == 0 && !llama_vocab_is_eog(vocabulary, token);
}

// A row of a picture, and what was found for it so far.
struct Match {
  const float* row;
  llama_token token = LLAMA_TOKEN_NULL;
  float score = -std::numeric_limits<float>::infinity();
};

// Some tokens side by side, of length 1.
class TokenBlock {
 public:
  TokenBlock(EmbeddingTable& table, const llama_vocab* vocabulary, llama_token first, int32_t count)
      : width_(table.Width()), numbers_(static_cast<size_t>(width_) * kLanes) {
    std::vector<float> row(width_);
    for (int32_t lane = 0; lane < count; lane++) {
      table.Read(row.data());
      double square = 0;
      for (const float number : row) square += static_cast<double>(number) * number;
      const double length = std::sqrt(square);
      if (!IsText(vocabulary, first + lane) || !(length > 0) || !std::isfinite(length)) continue;
      tokens_[lane] = first + lane;
      for (int32_t k = 0; k < width_; k++) {
        numbers_[static_cast<size_t>(k) * kLanes + lane] = static_cast<float>(row[k] / length);
      }
    }
  }

  void Compare(Match& match) const {
    float scores[kLanes] = {};
    const float* numbers = numbers_.data();
    for (int32_t k = 0; k < width_; k++, numbers += kLanes) {
      const float number = match.row[k];
      for (int32_t lane = 0; lane < kLanes; lane++) scores[lane] += number * numbers[lane];
    }
    for (int32_t lane = 0; lane < kLanes; lane++) {
      if (tokens_[lane] == LLAMA_TOKEN_NULL || !(scores[lane] > match.score)) continue;
      match.token = tokens_[lane];
      match.score = scores[lane];
    }
  }

 private:
  int32_t width_;
  std::vector<float> numbers_;                                                            // [width, lane]
  std::vector<llama_token> tokens_ = std::vector<llama_token>(kLanes, LLAMA_TOKEN_NULL);  // null where there is none
};

}  // namespace

std::vector<std::shared_ptr<const vision::ImageChunk>> NearestText(
    const LoadedModel& model, const std::vector<std::shared_ptr<const vision::ImageChunk>>& chunks,
    const std::function<bool()>& is_cancelled) {
  const ModelFacts& facts = model.Facts();
  std::vector<Match> matches;
  for (const auto& chunk : chunks) {
    if (chunk->embeddings.empty()) continue;
    // Behind the first numbers of a row stand those that some models add to later layers; text has none.
    for (int32_t row = 0; row < chunk->row_count; row++) {
      matches.push_back({chunk->embeddings.data() + static_cast<size_t>(row) * facts.input_embedding_size});
    }
  }
  EmbeddingTable table(model);
  for (llama_token first = 0; first < facts.vocabulary_size; first += kLanes) {
    const TokenBlock block(table, model.Vocabulary(), first, std::min(kLanes, facts.vocabulary_size - first));
    for (Match& match : matches) {
      if (is_cancelled()) throw NativeError(ErrorCode::kCancelled, "Reading the picture as text was cancelled.");
      block.Compare(match);
    }
  }
  std::vector<std::shared_ptr<const vision::ImageChunk>> text;
  auto match = matches.begin();
  for (const auto& chunk : chunks) {
    if (chunk->embeddings.empty()) {
      text.push_back(chunk);
      continue;
    }
    auto part = std::make_shared<vision::ImageChunk>();
    part->row_count = chunk->row_count;
    part->position_count = chunk->row_count;
    for (int32_t row = 0; row < chunk->row_count; row++, match++) {
      if (match->token == LLAMA_TOKEN_NULL) {
        throw NativeError(ErrorCode::kImageFailed,
                          "Expected numbers in every row of the encoded picture, received none in row " +
                              std::to_string(row) + ". Try another picture.");
      }
      part->tokens.push_back(match->token);
    }
    text.push_back(std::move(part));
  }
  return text;
}

}  // namespace eta
