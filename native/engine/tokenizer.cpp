#include "engine/tokenizer.h"

#include <algorithm>
#include <cstdio>

#include "engine/characters.h"
#include "engine/native_error.h"

namespace eta {

using namespace characters;

namespace {

constexpr size_t kByteNameSize = 6;
constexpr uint32_t kEscapedSpace = 0x2581;
const std::string kEscapedSpaceText = "\xe2\x96\x81";

// libstdc++ matches a regular expression by recursion, one level and 320 bytes a character: a longer run of characters
// of one kind would leave the stack of a text thread (see kTextStackBytes).
constexpr size_t kMostRun = size_t{1} << 18;

// Where digits are grouped by looking ahead to their end, their number counts squared.
constexpr size_t kMostDigits = 512;

size_t PairHash(uint32_t left, uint32_t right) {
  const uint64_t mixed = ((static_cast<uint64_t>(left) << 21) | right) * 0x9e3779b97f4a7c15ull;
  return static_cast<size_t>(mixed >> 42);
}

// Pre-tokenizers whose words go across a single space, or across lines too. Every other one of llama.cpp's was read:
// test/engine/cuts.test.ts compares them all, whole and cut.
const std::set<std::string> kAcrossSpaces = {"exaone-moe", "gemma4", "granite-embed-multi-311m", "sarvam-moe"};
const std::set<std::string> kAcrossLines = {"superbpe"};  // the one that looks ahead for digits as well

// Pre-tokenizers that know cased letters and ideographs alone: other letters stay in one piece with the spaces between
// them.
const std::set<std::string> kCasedWords = {"deepseek-llm"};

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

}  // namespace

Tokenizer::Tokenizer(const llama_vocab* vocabulary, const std::map<std::string, std::string>& metadata)
    : vocabulary_(vocabulary), pairs_(std::make_unique<std::bitset<kPairBits>>()) {
  const auto text_of = [&](const char* key) {
    const auto entry = metadata.find(key);
    return entry == metadata.end() ? std::string() : entry->second;
  };
  const std::string model = text_of("tokenizer.ggml.model");
  const std::string kind = model == "gemma4" ? model : text_of("tokenizer.ggml.pre");
  const enum llama_vocab_type type = llama_vocab_type(vocabulary);
  is_bpe_ = type == LLAMA_VOCAB_TYPE_BPE;
  encodes_bytes_ = is_bpe_ && kPlainText.count(kind) == 0;
  if (type == LLAMA_VOCAB_TYPE_SPM) {
    cuts_ = Cuts::kPairs;
    counts_bytes_ = true;
  } else if (is_bpe_ && model != "hybriddna" && model != "whitespace") {
    counts_bytes_ = true;
    has_cased_words_ = kCasedWords.count(kind) > 0;
    cuts_ = kAcrossLines.count(kind) > 0 ? Cuts::kNone : kAcrossSpaces.count(kind) > 0 ? Cuts::kLines : Cuts::kSpaces;
  }
  const llama_token count = llama_vocab_n_tokens(vocabulary);
  for (llama_token token = 0; token < count; token++) ReadToken(token);
  ReadByteNames();
  // A byte without a token of its own falls back to none in BPE: it may be worth nothing.
  for (size_t byte = 0; byte < 256; byte++) {
    for (std::array<uint32_t, 256>& longest : longest_) {
      const bool is_lost = (is_bpe_ && !has_token_[byte]) || byte == 0 || (strips_ && IsSpace(byte) && byte < 0x80);
      longest[byte] = is_lost ? 0 : std::max(longest[byte], 1u);
    }
  }
  if (strips_ && cuts_ != Cuts::kPairs) cuts_ = Cuts::kNone;  // the others cut at white space
}

void Tokenizer::ReadToken(llama_token token) {
  const char* const given = llama_vocab_get_text(vocabulary_, token);
  const std::string text = given == nullptr ? "" : given;
  const int attributes = llama_vocab_get_attr(vocabulary_, token);
  if (text.empty()) return;
  strips_ = strips_ || (attributes & (LLAMA_TOKEN_ATTR_LSTRIP | LLAMA_TOKEN_ATTR_RSTRIP)) != 0;
  const bool is_control = (attributes & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN)) != 0;
  const bool is_special = is_control || (attributes & LLAMA_TOKEN_ATTR_USER_DEFINED) != 0;
  if (is_control) control_by_first_[static_cast<uint8_t>(text.front())].push_back(text);
  if (is_special) special_by_last_[static_cast<uint8_t>(text.back())].push_back(text);
  unsigned byte = 0;
  if (!encodes_bytes_ && text.size() == kByteNameSize && std::sscanf(text.c_str(), "<0x%2X>", &byte) == 1) {
    Cover(std::string(1, static_cast<char>(byte)), 1, is_control);
    has_token_[byte] = true;
    byte_names_.push_back(text);
    return;
  }
  if (text.size() < kByteNameSize && (text.front() == '<' || text.back() == '>')) name_parts_.insert(text);
  if (is_special || cuts_ == Cuts::kPairs) Pair(text);
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
      Pair(name);
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

void Tokenizer::Pair(const std::string& text) {
  uint32_t left = 0;
  for (size_t at = 0; at < text.size(); at++) {
    if (at > 0 && ContinuesCharacter(text[at])) continue;
    const uint32_t right = CharacterAt(text, at) == ' ' ? kEscapedSpace : CharacterAt(text, at);
    if (at > 0) pairs_->set(PairHash(left, right));
    left = right;
  }
}

bool Tokenizer::IsPair(uint32_t left, uint32_t right) const {
  return pairs_->test(PairHash(left == ' ' ? kEscapedSpace : left, right == ' ' ? kEscapedSpace : right));
}

std::vector<llama_token> Tokenizer::Tokens(const std::string& text, bool parse_special) const {
  if (is_bpe_) CheckRuns(text);
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

void Tokenizer::CheckRuns(const std::string& text) const {
  size_t run = 0;
  size_t digits = 0;
  bool is_space = false;
  for (size_t at = 0; at < text.size(); at++) {
    if (ContinuesCharacter(text[at])) continue;
    const bool was_space = is_space;
    is_space = IsSpace(CharacterAt(text, at));
    run = cuts_ == Cuts::kSpaces && is_space != was_space ? 1 : run + 1;
    digits = text[at] >= '0' && text[at] <= '9' ? digits + 1 : 0;
    const bool has_many_digits = cuts_ == Cuts::kNone && digits > kMostDigits;
    if (run <= kMostRun && !has_many_digits) continue;
    const std::string most =
        has_many_digits ? std::to_string(kMostDigits) + " digits" : std::to_string(kMostRun) + " characters";
    const std::string expected = has_many_digits          ? "numbers of at most " + most
                                 : cuts_ == Cuts::kSpaces ? "words, and stretches of white space, of at most " + most
                                 : cuts_ == Cuts::kLines  ? "a single line end between two words at least every " + most
                                                          : "a text of at most " + most;
    throw NativeError(
        ErrorCode::kInvalidArgument,
        "Expected " + expected + ", for this model's tokenizer, but received a longer stretch. Divide it.");
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

size_t Tokenizer::NextCut(const std::string& text, size_t from) const {
  if (cuts_ == Cuts::kNone) return text.size();
  for (size_t at = std::max<size_t>(from, 1); at < text.size(); at++) {
    if (!ContinuesCharacter(text[at]) && MayCut(text, at)) return at;
  }
  return text.size();
}

bool Tokenizer::MayCut(const std::string& text, size_t at) const {
  const size_t before = CharacterBefore(text, at);
  const uint32_t left = CharacterAt(text, before);
  const uint32_t right = CharacterAt(text, at);
  if (left == 0 || right == 0 || IsPair(left, right)) return false;
  if (cuts_ == Cuts::kPairs) {
    // Behind a special token a space is put in front, and some swallow the white space beside them.
    return !(strips_ && (IsSpace(left) || IsSpace(right))) && !EndsWithSpecial(text, at);
  }
  if (left == '\n') {
    return !ContinuesLineEnd(right) && !IsSpace(right) && before > 0 &&
           !IsSpace(CharacterAt(text, CharacterBefore(text, before)));
  }
  return cuts_ == Cuts::kSpaces && right == ' ' && !IsSpace(left) && BeginsWord(left, CharacterAt(text, at + 1));
}

// Whether a single space between the two goes with the second, or with neither.
bool Tokenizer::BeginsWord(uint32_t left, uint32_t next) const {
  if (IsCasedLetter(next)) return true;
  if (IsOtherLetter(next)) return !has_cased_words_;
  // Some leave a symbol, or a letter that they do not know, with the space behind it.
  return IsDigit(next) && (IsDigit(left) || IsCasedLetter(left) || IsPunctuation(left));
}

bool Tokenizer::EndsWithSpecial(const std::string& text, size_t at) const {
  for (const std::string& special : special_by_last_[static_cast<uint8_t>(text[at - 1])]) {
    if (special.size() <= at && text.compare(at - special.size(), special.size(), special) == 0) return true;
  }
  return false;
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
