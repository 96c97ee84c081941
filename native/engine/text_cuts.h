#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "llama.h"

namespace eta {

// Where a text may be cut so that its parts have the tokens of the whole, as far as a vocabulary tells. It is made of
// every token of it; once closed it never changes.
class TextCuts {
 public:
  // Without `is_known` nothing is known of this kind of tokenizer, and nothing is cut.
  TextCuts(enum llama_vocab_type type, const std::string& pre_tokenizer, bool is_known);

  // Some special token swallows white space around it.
  void AddStripping() { strips_ = true; }
  void AddSpecial(const std::string& text);
  void AddToken(const std::string& text, bool is_special);
  // No two characters of this text are parted.
  void AddPairs(const std::string& text);
  // Behind the last token.
  void Close();

  bool Strips() const { return strips_; }

  // The first place at `from` or behind it where the text may be cut, or its end.
  size_t Next(const std::string& text, size_t from) const;

  // Throws NativeError INVALID_ARGUMENT for a text with a stretch that cannot be cut and is too long for a BPE
  // pre-tokenizer.
  void CheckRuns(const std::string& text) const;

 private:
  // Where a text may be cut.
  enum class Kind {
    kNone,    // nothing is known of this kind
    kPairs,   // between two characters that stand together in no token
    kLines,   // behind a single line end between two characters that are no white space
    kSpaces,  // as kLines, and before a single space that a letter, or a digit of a sentence, follows
  };

  bool IsPair(uint32_t left, uint32_t right) const;
  bool MayCut(const std::string& text, size_t at) const;
  bool BeginsWord(uint32_t left, uint32_t next) const;
  bool EndsWithSpecial(const std::string& text, size_t at) const;

  static constexpr size_t kPairBits = size_t{1} << 22;

  Kind kind_ = Kind::kNone;
  bool strips_ = false;
  bool has_cased_words_ = false;  // other letters stay with the spaces between them
  // Which characters stand together in some token (kPairs) or special token, by hash: a clash only forbids a cut.
  std::unique_ptr<std::bitset<kPairBits>> pairs_;
  std::array<std::vector<std::string>, 256> special_by_last_;  // control, unknown, and marked as user-defined
};

}  // namespace eta
