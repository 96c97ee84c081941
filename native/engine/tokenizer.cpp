#include "engine/tokenizer.h"

#include <algorithm>
#include <cstdio>

#include "engine/characters.h"
#include "engine/native_error.h"

namespace eta {

using namespace characters;

namespace {

constexpr size_t kByteNameSize = 6;
const std::string kEscapedSpaceText = "\xe2\x96\x81";

// Kinds of text that llama.cpp does not turn into GPT-2's letters for bytes.
const std::set<std::string> kPlainText = {"gemma4", "granite-embed-multi-311m", "sarvam-moe"};

// What GPT-2's letters stand for, in Latin-1 and behind it.
std::string PlainBytes(const std::string& letters) {
  static const std::map<uint32_t, char> others = [] {
    std::map<uint32_t, char> made;
    uint32_t next = 0x100;
    for (uint32_t byte = 0; byte < 256; byte++) {
      const bool is_itself = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte != 0xad);
      made[is_itself ? byte : next++] = static_cast<char>(byte);
    }
    return made;
  }();
  std::string bytes;
  for (size_t at = 0; at < letters.size(); at++) {
    if (ContinuesCharacter(letters[at])) continue;
    const auto entry = others.find(CharacterAt(letters, at));
    if (entry == others.end()) return letters;
    bytes.push_back(entry->second);
  }
  return bytes;
}

std::string TextOf(const std::map<std::string, std::string>& metadata, const char* key) {
  const auto entry = metadata.find(key);
  return entry == metadata.end() ? std::string() : entry->second;
}

std::string PreTokenizer(const std::map<std::string, std::string>& metadata) {
  const std::string model = TextOf(metadata, "tokenizer.ggml.model");
  return model == "gemma4" ? model : TextOf(metadata, "tokenizer.ggml.pre");
}

// Whether every byte of a text is part of some token.
bool CountsBytes(const llama_vocab* vocabulary, const std::map<std::string, std::string>& metadata) {
  const enum llama_vocab_type type = llama_vocab_type(vocabulary);
  if (type != LLAMA_VOCAB_TYPE_BPE) return type == LLAMA_VOCAB_TYPE_SPM;
  const std::string model = TextOf(metadata, "tokenizer.ggml.model");
  return model != "hybriddna" && model != "whitespace";
}

}  // namespace

Tokenizer::Tokenizer(const llama_vocab* vocabulary, const std::map<std::string, std::string>& metadata)
    : vocabulary_(vocabulary),
      is_bpe_(llama_vocab_type(vocabulary) == LLAMA_VOCAB_TYPE_BPE),
      encodes_bytes_(is_bpe_ && kPlainText.count(PreTokenizer(metadata)) == 0),
      counts_bytes_(CountsBytes(vocabulary, metadata)),
      cuts_(llama_vocab_type(vocabulary), PreTokenizer(metadata), counts_bytes_) {
  const llama_token count = llama_vocab_n_tokens(vocabulary);
  for (llama_token token = 0; token < count; token++) ReadToken(token);
  ReadByteNames();
  const bool strips = cuts_.Strips();
  // A byte without a token of its own falls back to none in BPE: it may be worth nothing.
  for (size_t byte = 0; byte < 256; byte++) {
    for (std::array<uint32_t, 256>& longest : longest_) {
      const bool is_lost = (is_bpe_ && !has_token_[byte]) || byte == 0 || (strips && IsSpace(byte) && byte < 0x80);
      longest[byte] = is_lost ? 0 : std::max(longest[byte], 1u);
    }
  }
  cuts_.Close();
}

void Tokenizer::ReadToken(llama_token token) {
  const char* const given = llama_vocab_get_text(vocabulary_, token);
  const std::string text = given == nullptr ? "" : given;
  const int attributes = llama_vocab_get_attr(vocabulary_, token);
  if (text.empty()) return;
  if ((attributes & (LLAMA_TOKEN_ATTR_LSTRIP | LLAMA_TOKEN_ATTR_RSTRIP)) != 0) cuts_.AddStripping();
  const bool is_control = (attributes & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN)) != 0;
  const bool is_special = is_control || (attributes & LLAMA_TOKEN_ATTR_USER_DEFINED) != 0;
  if (is_control) control_by_first_[static_cast<uint8_t>(text.front())].push_back(text);
  if (is_special) cuts_.AddSpecial(text);
  unsigned byte = 0;
  if (!encodes_bytes_ && text.size() == kByteNameSize && std::sscanf(text.c_str(), "<0x%2X>", &byte) == 1) {
    Cover(std::string(1, static_cast<char>(byte)), 1, is_control);
    has_token_[byte] = true;
    byte_names_.push_back(text);
    return;
  }
  if (text.size() < kByteNameSize && (text.front() == '<' || text.back() == '>')) name_parts_.insert(text);
  cuts_.AddToken(text, is_special);
  if (encodes_bytes_ && !is_special) {
    const std::string bytes = PlainBytes(text);
    Cover(bytes, bytes.size(), false);
    if (bytes.size() == 1) has_token_[static_cast<uint8_t>(bytes[0])] = true;
    return;
  }
  // A space stands in tokens as three bytes, and text may hold these three themselves.
  Cover(text.find(kEscapedSpaceText) == std::string::npos ? text : text + " ", text.size(), is_control);
}

// "<0x3C>" stands for "<" where nothing else does. That it should be made of these six characters is another matter:
// its halves would have to be tokens too.
void Tokenizer::ReadByteNames() {
  const auto is_made = [this](const std::string& part) { return part.size() == 1 || name_parts_.count(part) > 0; };
  for (const std::string& name : byte_names_) {
    for (size_t at = 1; at < name.size(); at++) {
      if (!is_made(name.substr(0, at)) || !is_made(name.substr(at))) continue;
      cuts_.AddPairs(name);
      Cover(name, name.size(), false);
    }
  }
  byte_names_.clear();
  name_parts_.clear();
}

void Tokenizer::Cover(const std::string& bytes, size_t length, bool is_control) {
  most_bytes_ = std::max(most_bytes_, length);
  for (const char byte : bytes) {
    for (size_t with_control = is_control ? 1 : 0; with_control < 2; with_control++) {
      uint32_t& longest = longest_[with_control][static_cast<uint8_t>(byte)];
      longest = std::max(longest, static_cast<uint32_t>(length));
    }
  }
}

std::vector<llama_token> Tokenizer::Tokens(const std::string& text, bool parse_special) const {
  if (is_bpe_) cuts_.CheckRuns(text);
  std::vector<llama_token> tokens(text.size() + 8);
  for (;;) {
    const int32_t count = llama_tokenize(vocabulary_, text.data(), static_cast<int32_t>(text.size()), tokens.data(),
                                         static_cast<int32_t>(tokens.size()), false, parse_special);
    if (count >= 0) {
      tokens.resize(count);
      return tokens;
    }
    if (count == INT32_MIN) {
      throw NativeError(ErrorCode::kInvalidArgument, "Expected a text of fewer than 2^31 tokens.");
    }
    tokens.resize(-count);
  }
}

double Tokenizer::FewestTokens(const std::string& text, bool parse_special) const {
  if (!counts_bytes_) return 0;
  const std::array<uint32_t, 256>& longest = longest_[parse_special ? 1 : 0];
  std::array<size_t, 256> counts{};
  for (const char byte : text) counts[static_cast<uint8_t>(byte)]++;
  // A token of n bytes holds none whose longest token is shorter than n, so that its shares are no more than 1.
  double fewest = 0;
  for (size_t byte = 0; byte < 256; byte++) {
    if (longest[byte] > 0) fewest += static_cast<double>(counts[byte]) / longest[byte];
  }
  return fewest * (1 - 1e-9);
}

std::vector<llama_token> Tokenizer::TokensBehindCut(const std::string& text, size_t start, size_t end,
                                                    bool parse_special) const {
  if (start == 0 || !AddsSpace()) return Tokens(text.substr(start, end - start), parse_special);
  // A call puts a space before its text: the character before the cut takes it, and its tokens are taken off again.
  const size_t before = CharacterBefore(text, start);
  std::vector<llama_token> tokens = Tokens(text.substr(before, end - before), parse_special);
  const size_t count = Tokens(text.substr(before, start - before), parse_special).size();
  tokens.erase(tokens.begin(), tokens.begin() + static_cast<ptrdiff_t>(std::min(count, tokens.size())));
  return tokens;
}

size_t Tokenizer::ControlAt(const std::string& text, size_t at) const {
  size_t longest = 0;
  for (const std::string& control : control_by_first_[static_cast<uint8_t>(text[at])]) {
    if (control.size() > longest && text.compare(at, control.size(), control) == 0) longest = control.size();
  }
  return longest;
}

bool Tokenizer::AddsSpace() const {
  const enum llama_vocab_type type = llama_vocab_type(vocabulary_);
  return type == LLAMA_VOCAB_TYPE_SPM || type == LLAMA_VOCAB_TYPE_UGM;
}

size_t Tokenizer::MostBytes() const {
  const auto is_worth_nothing = [](uint32_t longest) { return longest == 0; };
  const bool has_gap = std::any_of(longest_[1].begin() + 1, longest_[1].end(), is_worth_nothing);
  return counts_bytes_ && !has_gap ? most_bytes_ : 0;
}

}  // namespace eta
