#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/text_cuts.h"
#include "llama.h"

namespace eta {

// Text to tokens: llama.cpp's tokenizer, how few tokens a text can take at the least, and where it may be cut. Never
// changes; any thread may read it.
class Tokenizer {
 public:
  // `metadata` of the GGUF. Reads the whole vocabulary.
  Tokenizer(const llama_vocab* vocabulary, const std::map<std::string, std::string>& metadata);

  // Tokens of a text, in one call of llama.cpp. Throws NativeError INVALID_ARGUMENT for a text that it cannot take.
  std::vector<llama_token> Tokens(const std::string& text, bool parse_special) const;

  // No fewer tokens stand for this text, whatever stands around it; 0 where nothing can be said. Linear.
  double FewestTokens(const std::string& text, bool parse_special) const;

  // Bytes of text that one token stands for at most, control tokens included; 0 where nothing can be said.
  size_t MostBytes() const;

  // The first place at `from` or behind it where the text may be cut, or its end.
  size_t NextCut(const std::string& text, size_t from) const { return cuts_.Next(text, from); }

  // Tokens of a part of a text that begins at a cut.
  std::vector<llama_token> TokensBehindCut(const std::string& text, size_t start, size_t end, bool parse_special) const;

  // Whether the text of a control token stands at this place; its bytes, or 0. The longest where several do.
  size_t ControlAt(const std::string& text, size_t at) const;

  // Whether a call puts a space before its text.
  bool AddsSpace() const;

 private:
  void ReadToken(llama_token token);
  void ReadByteNames();
  void Cover(const std::string& bytes, size_t length, bool is_control);

  const llama_vocab* vocabulary_;
  bool is_bpe_;
  bool encodes_bytes_;  // GPT-2's letters for bytes
  bool counts_bytes_;   // every byte of a text is part of some token
  TextCuts cuts_;
  size_t most_bytes_ = 0;
  // Length of the longest token that a byte can be part of: [0] in words, [1] control tokens included.
  std::array<std::array<uint32_t, 256>, 2> longest_{};
  // Whether a byte has a token of its own to fall back to.
  std::array<bool, 256> has_token_{};
  std::vector<std::string> byte_names_;  // these two only while the vocabulary is read
  std::set<std::string> name_parts_;
  std::array<std::vector<std::string>, 256> control_by_first_;  // control and unknown tokens
};

}  // namespace eta
