#include "engine/text_reader.h"

#include <algorithm>
#include <cmath>

namespace eta {

NativeError TextTooLong(size_t most_tokens, uint64_t fewest) {
  return NativeError(ErrorCode::kTextTooLong, "Expected text of at most " + std::to_string(most_tokens) +
                                                  " tokens but received one of at least " + std::to_string(fewest) +
                                                  ". Shorten it, or take a larger context.");
}

void TextReader::CheckCount(double fewest) const {
  if (fewest <= static_cast<double>(options_.most_tokens)) return;
  throw TextTooLong(options_.most_tokens, static_cast<uint64_t>(std::ceil(fewest)));
}

void TextReader::Begin(const Tokenizer& tokenizer) {
  double fewest = 0;
  for (const TextPiece& piece : pieces_) fewest += tokenizer.FewestTokens(piece.text, piece.parse_special);
  CheckCount(fewest);
  if (pieces_.size() < 2) return;
  TextPiece joined;
  for (const TextPiece& piece : pieces_) {
    joined.text += piece.text;
    joined.parse_special = joined.parse_special || piece.parse_special;
  }
  if (joined.parse_special && TouchesControl(tokenizer, joined.text)) return;
  pieces_.clear();
  pieces_.push_back(std::move(joined));
}

bool TextReader::TouchesControl(const Tokenizer& tokenizer, const std::string& joined) const {
  size_t piece = 0;
  size_t start = 0;  // of the piece, in the joined text
  for (size_t at = 0; at < joined.size(); at++) {
    while (at >= start + pieces_[piece].text.size()) start += pieces_[piece++].text.size();
    const size_t end = at + tokenizer.ControlAt(joined, at);
    size_t from = start;
    for (size_t index = piece; index < pieces_.size() && from < end; from += pieces_[index++].text.size()) {
      if (end > at && !pieces_[index].parse_special && !pieces_[index].text.empty()) return true;
    }
  }
  return false;
}

// SentencePiece puts a space before whatever a call begins with; behind a newline, which merges with nothing, it does
// not.
void TextReader::Enter(const Tokenizer& tokenizer) {
  TextPiece& piece = pieces_[piece_];
  if (piece_ == 0 && !options_.is_continued) return;
  const std::vector<llama_token> newline = tokenizer.Tokens("\n", false);
  const std::string behind = "\n" + piece.text;
  const size_t end = tokenizer.NextCut(behind, options_.slice_bytes);
  const std::vector<llama_token> tokens = tokenizer.Tokens(behind.substr(0, end), piece.parse_special);
  const bool holds_more = tokens.size() > newline.size() || (tokens.size() == newline.size() && end < behind.size());
  if (holds_more && std::equal(newline.begin(), newline.end(), tokens.begin())) {
    tokens_.insert(tokens_.end(), tokens.begin() + static_cast<ptrdiff_t>(newline.size()), tokens.end());
    piece.text = behind;
    offset_ = end;
    return;
  }
  // The call's own space takes the place of the text's.
  if (tokenizer.AddsSpace() && piece.text.size() > 1 && piece.text[0] == ' ') piece.text.erase(0, 1);
}

bool TextReader::ReadSlice(const Tokenizer& tokenizer) {
  if (!has_begun_) {
    Begin(tokenizer);
    has_begun_ = true;
  }
  while (piece_ < pieces_.size() && pieces_[piece_].text.empty()) piece_++;
  if (piece_ == pieces_.size()) return true;
  if (offset_ == 0) Enter(tokenizer);
  const TextPiece& piece = pieces_[piece_];
  if (offset_ < piece.text.size()) {
    const size_t end = tokenizer.NextCut(piece.text, offset_ + options_.slice_bytes);
    const std::vector<llama_token> tokens = tokenizer.TokensBehindCut(piece.text, offset_, end, piece.parse_special);
    tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
    offset_ = end;
  }
  CheckCount(static_cast<double>(tokens_.size()));
  if (offset_ == piece.text.size()) {
    piece_++;
    offset_ = 0;
  }
  return piece_ == pieces_.size();
}

}  // namespace eta
