#include "engine/gguf_head.h"

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>

#include "engine/assertions.h"
#include "engine/log.h"

namespace eta {

GgufHead ReadGgufHead(const std::string& path, const GgufFail& fail) {
  std::ifstream stream(std::filesystem::u8path(path), std::ios::binary);
  char magic[4] = {};
  if (!stream.read(magic, 4)) fail("the file cannot be read. Check the path.");
  if (std::string_view(magic, 4) != "GGUF") {
    fail("expected a GGUF file, but it starts differently. Convert the model to GGUF.");
  }
  stream.close();
  GgufHead head;
  const log::Capture capture;
  ggml_context* tensors = nullptr;
  gguf_init_params params = {};
  params.no_alloc = true;
  params.ctx = &tensors;
  try {
    const assertions::Thrown thrown;
    head.file.reset(gguf_init_from_file(path.c_str(), params));
  } catch (const std::runtime_error& error) {
    fail("its header is broken (" + std::string(error.what()) + "). Download it again.");
  }
  head.meta.reset(tensors);
  if (head.file == nullptr) fail("its header is broken (" + capture.Reason("truncated?") + "). Download it again.");
  return head;
}

}  // namespace eta
