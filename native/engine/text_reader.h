#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/native_error.h"
#include "engine/tokenizer.h"

namespace eta {

NativeError TextTooLong(size_t most_tokens, uint64_t fewest);

// One of the texts that are read as one. In `text` of somebody's words control tokens stay words.
struct TextPiece {
  std::string text;
  bool parse_special = false;
};

struct ReadingOptions {
  bool is_continued = false;  // the first piece stands behind other text
  size_t most_tokens = 0;
  size_t slice_bytes = 1;  // a slice is so long, and on to the next cut
};

// Texts on their way to tokens, slice by slice, so that others get their turn and it can be ended in between.
//
// All pieces are tokenised as one text, so that seams do not change tokens. Only where words hold, or would form at a
// seam, the text of a control token, each piece is tokenised for itself.
class TextReader {
 public:
  TextReader(std::vector<TextPiece> pieces, const ReadingOptions& options)
      : pieces_(std::move(pieces)), options_(options) {}

  // Reads one slice. Returns whether everything is read. Throws NativeError TEXT_TOO_LONG as soon as more than
  // most_tokens is certain, and what Tokenizer::Tokens throws.
  bool ReadSlice(const Tokenizer& tokenizer);

  std::vector<llama_token>& Tokens() { return tokens_; }

 private:
  void Begin(const Tokenizer& tokenizer);
  bool TouchesControl(const Tokenizer& tokenizer, const std::string& joined) const;
  void Enter(const Tokenizer& tokenizer);
  void CheckCount(double fewest) const;

  std::vector<TextPiece> pieces_;  // of what is read together; one, unless words touch control tokens
  ReadingOptions options_;
  bool has_begun_ = false;
  size_t piece_ = 0;
  size_t offset_ = 0;  // in the piece; 0: it is not entered yet
  std::vector<llama_token> tokens_;
};

}  // namespace eta
