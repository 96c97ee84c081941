#include "engine/text_cuts.h"

#include <algorithm>
#include <set>

#include "engine/characters.h"
#include "engine/native_error.h"

namespace eta {

using namespace characters;

namespace {

constexpr uint32_t kEscapedSpace = 0x2581;

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

}  // namespace

TextCuts::TextCuts(enum llama_vocab_type type, const std::string& pre_tokenizer, bool is_known)
    : pairs_(std::make_unique<std::bitset<kPairBits>>()) {
  if (!is_known) return;
  if (type == LLAMA_VOCAB_TYPE_SPM) {
    kind_ = Kind::kPairs;
    return;
  }
  has_cased_words_ = kCasedWords.count(pre_tokenizer) > 0;
  kind_ = Kind::kSpaces;
  if (kAcrossSpaces.count(pre_tokenizer) > 0) kind_ = Kind::kLines;
  if (kAcrossLines.count(pre_tokenizer) > 0) kind_ = Kind::kNone;
}

void TextCuts::AddSpecial(const std::string& text) {
  special_by_last_[static_cast<uint8_t>(text.back())].push_back(text);
}

void TextCuts::AddToken(const std::string& text, bool is_special) {
  if (is_special || kind_ == Kind::kPairs) AddPairs(text);
}

void TextCuts::AddPairs(const std::string& text) {
  uint32_t left = 0;
  for (size_t at = 0; at < text.size(); at++) {
    if (at > 0 && ContinuesCharacter(text[at])) continue;
    const uint32_t right = CharacterAt(text, at) == ' ' ? kEscapedSpace : CharacterAt(text, at);
    if (at > 0) pairs_->set(PairHash(left, right));
    left = right;
  }
}

bool TextCuts::IsPair(uint32_t left, uint32_t right) const {
  return pairs_->test(PairHash(left == ' ' ? kEscapedSpace : left, right == ' ' ? kEscapedSpace : right));
}

void TextCuts::Close() {
  if (strips_ && kind_ != Kind::kPairs) kind_ = Kind::kNone;  // the others cut at white space
}

size_t TextCuts::Next(const std::string& text, size_t from) const {
  if (kind_ == Kind::kNone) return text.size();
  for (size_t at = std::max<size_t>(from, 1); at < text.size(); at++) {
    if (!ContinuesCharacter(text[at]) && MayCut(text, at)) return at;
  }
  return text.size();
}

bool TextCuts::MayCut(const std::string& text, size_t at) const {
  const size_t before = CharacterBefore(text, at);
  const uint32_t left = CharacterAt(text, before);
  const uint32_t right = CharacterAt(text, at);
  if (left == 0 || right == 0 || IsPair(left, right)) return false;
  if (kind_ == Kind::kPairs) {
    // Behind a special token a space is put in front, and some swallow the white space beside them.
    return !(strips_ && (IsSpace(left) || IsSpace(right))) && !EndsWithSpecial(text, at);
  }
  if (left == '\n') {
    return !ContinuesLineEnd(right) && !IsSpace(right) && before > 0 &&
           !IsSpace(CharacterAt(text, CharacterBefore(text, before)));
  }
  return kind_ == Kind::kSpaces && right == ' ' && !IsSpace(left) && BeginsWord(left, CharacterAt(text, at + 1));
}

// Whether a single space between the two goes with the second, or with neither.
bool TextCuts::BeginsWord(uint32_t left, uint32_t next) const {
  if (IsCasedLetter(next)) return true;
  if (IsOtherLetter(next)) return !has_cased_words_;
  // Some leave a symbol, or a letter that they do not know, with the space behind it.
  return IsDigit(next) && (IsDigit(left) || IsCasedLetter(left) || IsPunctuation(left));
}

bool TextCuts::EndsWithSpecial(const std::string& text, size_t at) const {
  for (const std::string& special : special_by_last_[static_cast<uint8_t>(text[at - 1])]) {
    if (special.size() <= at && text.compare(at - special.size(), special.size(), special) == 0) return true;
  }
  return false;
}

void TextCuts::CheckRuns(const std::string& text) const {
  size_t run = 0;
  size_t digits = 0;
  bool is_space = false;
  for (size_t at = 0; at < text.size(); at++) {
    if (ContinuesCharacter(text[at])) continue;
    const bool was_space = is_space;
    is_space = IsSpace(CharacterAt(text, at));
    run = kind_ == Kind::kSpaces && is_space != was_space ? 1 : run + 1;
    digits = text[at] >= '0' && text[at] <= '9' ? digits + 1 : 0;
    const bool has_many_digits = kind_ == Kind::kNone && digits > kMostDigits;
    if (run <= kMostRun && !has_many_digits) continue;
    const std::string most =
        has_many_digits ? std::to_string(kMostDigits) + " digits" : std::to_string(kMostRun) + " characters";
    const std::string expected = has_many_digits          ? "numbers of at most " + most
                                 : kind_ == Kind::kSpaces ? "words, and stretches of white space, of at most " + most
                                 : kind_ == Kind::kLines  ? "a single line end between two words at least every " + most
                                                          : "a text of at most " + most;
    throw NativeError(
        ErrorCode::kInvalidArgument,
        "Expected " + expected + ", for this model's tokenizer, but received a longer stretch. Divide it.");
  }
}

}  // namespace eta
