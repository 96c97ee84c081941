#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

// The characters of UTF-8 text, and what tokenizers see in them.
namespace eta::characters {

// Whether a byte is one behind the first of a character.
bool ContinuesCharacter(char byte);
// The character that begins here. Texts come from JavaScript and are UTF-8; tokens may be anything.
uint32_t CharacterAt(const std::string& text, size_t at);
// Where the one before it begins.
size_t CharacterBefore(const std::string& text, size_t at);

bool IsSpace(uint32_t character);
bool IsDigit(uint32_t character);
// Letters of scripts with two cases: Latin, Greek, Cyrillic.
bool IsCasedLetter(uint32_t character);
// Letters of other scripts, as far as words stand apart in them: Hebrew, Arabic, those of India, kana, ideographs,
// Hangul.
bool IsOtherLetter(uint32_t character);
// Punctuation of ASCII, without its symbols.
bool IsPunctuation(uint32_t character);
// What some pre-tokenizers leave in one piece with a line end before it: "/" as well as what Bloom's takes for no word.
bool ContinuesLineEnd(uint32_t character);

}  // namespace eta::characters
