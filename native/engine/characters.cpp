#include "engine/characters.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace eta::characters {

namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

template <size_t kCount>
bool IsIn(const Range (&ranges)[kCount], uint32_t character) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [character](const Range& range) { return character >= range.first && character <= range.last; });
}

}  // namespace

bool IsSpace(uint32_t character) {
  return (character >= 0x09 && character <= 0x0d) || character == 0x20 || character == 0x85 || character == 0xa0 ||
         character == 0x1680 || (character >= 0x2000 && character <= 0x200a) || character == 0x2028 ||
         character == 0x2029 || character == 0x202f || character == 0x205f || character == 0x3000;
}

bool IsDigit(uint32_t character) { return character >= '0' && character <= '9'; }

bool IsCasedLetter(uint32_t character) {
  constexpr Range kRanges[] = {
      {'a', 'z'},     {'A', 'Z'},     {0xc0, 0xd6},   {0xd8, 0xf6},   {0xf8, 0x1ba},    {0x1c4, 0x24f},
      {0x38e, 0x3a1}, {0x3a3, 0x3f5}, {0x400, 0x481}, {0x48a, 0x52f}, {0x1e00, 0x1eff},
  };
  return IsIn(kRanges, character);
}

bool IsOtherLetter(uint32_t character) {
  constexpr Range kRanges[] = {
      {0x5d0, 0x5ea},   {0x620, 0x64a},   {0x671, 0x6d3},   {0x904, 0x939},   {0x993, 0x9a8},   {0xa13, 0xa28},
      {0xa93, 0xaa8},   {0xb13, 0xb28},   {0xbae, 0xbb9},   {0xc2a, 0xc39},   {0xcaa, 0xcb3},   {0xd12, 0xd3a},
      {0x10d0, 0x10fa}, {0x3041, 0x3096}, {0x30a1, 0x30fa}, {0x3400, 0x4db5}, {0x4e00, 0x9fa5}, {0xac00, 0xd7a3},
  };
  return IsIn(kRanges, character);
}

bool IsPunctuation(uint32_t character) {
  return character > 0x20 && character < 0x7f &&
         std::string("!\"#%&'()*,-./:;?@[\\]_{}").find(static_cast<char>(character)) != std::string::npos;
}

bool ContinuesLineEnd(uint32_t character) {
  static const std::set<uint32_t> found = {'/',    '(',    ')',    '|',    '.',    ',',    '!',   '?',
                                           0x2026, 0x3002, 0xff0c, 0x3001, 0x0964, 0x06d4, 0x060c};
  return found.count(character) > 0;
}

bool ContinuesCharacter(char byte) { return (static_cast<uint8_t>(byte) & 0xc0) == 0x80; }

uint32_t CharacterAt(const std::string& text, size_t at) {
  const auto byte = [&](size_t index) { return index < text.size() ? static_cast<uint8_t>(text[index]) : 0u; };
  const uint32_t first = byte(at);
  if (first < 0x80) return first;
  if (first < 0xe0) return ((first & 0x1f) << 6) | (byte(at + 1) & 0x3f);
  if (first < 0xf0) return ((first & 0x0f) << 12) | ((byte(at + 1) & 0x3f) << 6) | (byte(at + 2) & 0x3f);
  return ((first & 0x07) << 18) | ((byte(at + 1) & 0x3f) << 12) | ((byte(at + 2) & 0x3f) << 6) | (byte(at + 3) & 0x3f);
}

size_t CharacterBefore(const std::string& text, size_t at) {
  do at--;
  while (at > 0 && ContinuesCharacter(text[at]));
  return at;
}

}  // namespace eta::characters
