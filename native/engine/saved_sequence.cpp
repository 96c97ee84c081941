#include <cstring>
#include <utility>

#include "engine/kv_context.h"

// A saved sequence: a header of our own (counts, image spans, the last output), then llama.cpp's bytes. llama.cpp
// trusts what it is given, so length, model and content are all checked before it sees any of it.
namespace eta {

namespace {

constexpr uint64_t kMagic = 0x31455441'564c4d53;  // changes with the layout
constexpr uint64_t kHashStart = 0xcbf29ce484222325;

struct Header {
  uint64_t magic;
  uint64_t fingerprint;
  uint64_t checksum;  // of everything else
  int32_t cell_count;
  int32_t position;
  int32_t image_count;
  int32_t output_count;
  uint64_t state_size;
};

// FNV-1a over 8 bytes at a time: fast, and enough against truncation and mix-ups (not against forgery).
uint64_t Hash(uint64_t hash, const void* data, size_t size) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes + i, 8);
    hash = (hash ^ word) * 0x100000001b3;
    hash ^= hash >> 29;
  }
  for (; i < size; i++) hash = (hash ^ bytes[i]) * 0x100000001b3;
  return hash;
}

uint64_t Checksum(Header header, const std::vector<uint8_t>& bytes) {
  header.checksum = 0;
  return Hash(Hash(kHashStart, &header, sizeof header), bytes.data() + sizeof header, bytes.size() - sizeof header);
}

// Bytes that were found sound.
struct Parts {
  Header header = {};
  std::vector<ImageSpan> images;
  const uint8_t* output = nullptr;  // output_count floats
  const uint8_t* state = nullptr;   // llama.cpp's
};

// Images stand one behind the other inside the cells, and account for the positions that are missing or left over.
bool AddsUp(const Header& header, const std::vector<ImageSpan>& images) {
  int64_t end = 0;
  int64_t position = header.cell_count;
  for (const ImageSpan& image : images) {
    if (image.first_cell < end || image.cell_count < 1 || image.position_count < 0) return false;
    end = int64_t{image.first_cell} + image.cell_count;
    position += int64_t{image.position_count} - image.cell_count;
  }
  return end <= header.cell_count && position == header.position;
}

void Refuse(const std::string& reason) {
  throw NativeError(ErrorCode::kStateMismatch, "Cannot restore the sequence: " + reason);
}

Parts Read(const std::vector<uint8_t>& bytes, uint64_t fingerprint, int32_t output_size) {
  Parts parts;
  Header& header = parts.header;
  if (bytes.size() < sizeof header) {
    Refuse("expected the bytes of save() but there are only " + std::to_string(bytes.size()) + ".");
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != kMagic) Refuse("these bytes were not made by save() of this version.");
  if (header.fingerprint != fingerprint) {
    Refuse(
        "they come from another model or from a context with another cacheType, flashAttention, steering or output.");
  }
  const size_t body = bytes.size() - sizeof header;
  if (Checksum(header, bytes) != header.checksum) Refuse("they are truncated or damaged.");
  const bool is_sound = header.cell_count >= 0 && header.image_count >= 0 && header.image_count <= header.cell_count &&
                        (header.output_count == 0 || header.output_count == output_size) && header.state_size <= body;
  const size_t image_bytes = is_sound ? header.image_count * sizeof(ImageSpan) : 0;
  const size_t output_bytes = is_sound ? header.output_count * sizeof(float) : 0;
  if (!is_sound || image_bytes + output_bytes + header.state_size != body) Refuse("their parts do not add up.");
  parts.images.resize(header.image_count);
  if (image_bytes > 0) std::memcpy(parts.images.data(), bytes.data() + sizeof header, image_bytes);
  if (!AddsUp(header, parts.images)) Refuse("their counts do not fit each other.");
  parts.output = bytes.data() + sizeof header + image_bytes;
  parts.state = parts.output + output_bytes;
  return parts;
}

}  // namespace

uint64_t KvContext::Fingerprint() const {
  const ModelFacts& facts = model_.Facts();
  uint64_t hash = Hash(kHashStart, facts.description.data(), facts.description.size());
  for (const auto& [key, text] : facts.metadata) {
    hash = Hash(Hash(hash, key.data(), key.size()), text.data(), text.size());
  }
  const int64_t numbers[] = {facts.vocabulary_size,
                             facts.embedding_size,
                             facts.layer_count,
                             static_cast<int64_t>(facts.parameter_count),
                             static_cast<int64_t>(facts.size_bytes),
                             settings_.cache_type,
                             settings_.flash_attention};
  const char* output = settings_.output->Name();
  hash = Hash(Hash(hash, numbers, sizeof numbers), output, std::strlen(output));
  if (!settings_.steering.has_value()) return hash;
  const auto& [layer, direction] = *settings_.steering;
  return Hash(Hash(hash, &layer, sizeof layer), direction.data(), direction.size() * sizeof(float));
}

std::vector<uint8_t> KvContext::Save(int32_t id) {
  const Sequence& sequence = Find(id);
  if (!sequence.pending.empty()) {
    throw NativeError(ErrorCode::kInvalidArgument,
                      "Expected a sequence without pending input to save but " + std::to_string(id) + " has " +
                          std::to_string(sequence.PendingCount()) + " pending. Run it first.");
  }
  Header header = {};
  header.magic = kMagic;
  header.fingerprint = Fingerprint();
  header.cell_count = sequence.TokenCount();
  header.position = sequence.position;
  header.image_count = static_cast<int32_t>(sequence.images.size());
  header.output_count = sequence.output == nullptr ? 0 : static_cast<int32_t>(sequence.output->Size());
  header.state_size = sequence.cells.empty() ? 0 : cache_->StateSize(sequence);

  const size_t image_bytes = sequence.images.size() * sizeof(ImageSpan);
  const size_t output_bytes = header.output_count * sizeof(float);
  std::vector<uint8_t> bytes(sizeof header + image_bytes + output_bytes + header.state_size);
  uint8_t* out = bytes.data() + sizeof header;
  if (image_bytes > 0) std::memcpy(out, sequence.images.data(), image_bytes);
  out += image_bytes;
  if (output_bytes > 0) std::memcpy(out, sequence.output->Values(), output_bytes);
  out += output_bytes;
  if (!sequence.cells.empty() && (header.state_size == 0 || !cache_->WriteState(sequence, out, header.state_size))) {
    throw NativeError(ErrorCode::kDecodeFailed,
                      "llama.cpp could not write the state of sequence " + std::to_string(id) + ".");
  }
  header.checksum = Checksum(header, bytes);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

int32_t KvContext::Restore(const std::vector<uint8_t>& bytes) {
  CheckAlive();
  Parts parts = Read(bytes, Fingerprint(), cache_->OutputSize());
  const Header& header = parts.header;
  if (header.cell_count > cache_->FreeCellCount()) {
    throw NativeError(ErrorCode::kCacheFull,
                      "Expected " + std::to_string(header.cell_count) + " free cells but there are " +
                          std::to_string(cache_->FreeCellCount()) + ". Release sequences first.");
  }

  Newborns newborns(*this, 1);
  Sequence& sequence = newborns.Add();
  sequence.images = std::move(parts.images);
  if (header.output_count > 0) {
    std::vector<float> output(header.output_count);
    std::memcpy(output.data(), parts.output, output.size() * sizeof(float));
    sequence.output = std::make_shared<const Row>(std::move(output));
  }
  if (!cache_->ReadState(sequence, parts.state, header.state_size, header.cell_count)) {
    Refuse("llama.cpp does not accept them in this context.");
  }
  sequence.position = header.position;
  const int32_t window = model_.Facts().sliding_window;
  if (window > 0 && header.position > window) sequence.least_trim = header.cell_count;
  sequence.content = header.cell_count == 0 ? 0 : cache_->NewContent();
  newborns.Keep();
  return sequence.id;
}

}  // namespace eta
