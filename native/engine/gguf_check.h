#pragma once

#include <string>

#include "engine/native_error.h"

namespace eta {

// What llama.cpp would end the process over, or report unclearly, is found in the file's own header first.
// `wants_projector` says which of the two kinds is expected. Throws NativeError with `code`.
void CheckGguf(const std::string& path, bool wants_projector, ErrorCode code);

}  // namespace eta
