#include "engine/vision.h"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <system_error>

#include "engine/assertions.h"
#include "engine/device.h"
#include "engine/log.h"
#include "engine/native_error.h"
#include "engine/thread_pool.h"
#include "mtmd-helper.h"
#include "mtmd.h"

namespace eta::vision {

void SetLog(ggml_log_callback callback) { mtmd_helper_log_set(callback, nullptr); }

// ggml asks before it computes whether someone wants to look at a node; "no" afterwards ends the graph. Looking splits
// the graph, so only some nodes are looked at: a block of a vision transformer has about 35.
bool Projector::OnNode(ggml_tensor*, bool is_question, void* data) {
  constexpr uint32_t kNodesBetweenLooks = 16;
  assertions::BeginComputing();
  Projector* self = static_cast<Projector*>(data);
  if (is_question) return ++self->node_count_ % kNodesBetweenLooks == 0;
  return self->is_cancelled_ == nullptr || !(*self->is_cancelled_)();
}

// libmtmd has ggml make its threads anew for every graph and end them after it. Those of the last one may still count
// while the next one begins, so there must be room for both.
void Projector::CheckThreads() const { thread_pool::Check(2 * (thread_count_ - 1)); }

Projector::Projector(const ProjectorOptions& options, const llama_model* model)
    : thread_count_(options.thread_count), context_(nullptr, mtmd_free) {
  CheckThreads();
  mtmd_context_params params = mtmd_context_params_default();
  params.use_gpu = options.use_gpu;
  if (options.use_gpu) params.device = options.device;
  params.print_timings = false;
  params.n_threads = options.thread_count;
  params.warmup = false;
  params.cb_eval = OnNode;
  params.cb_eval_user_data = this;
  params.progress_callback = options.on_progress;
  params.progress_callback_user_data = options.progress_data;

  const log::Capture capture;
  {
    const device::Reading reading;
    const assertions::Thrown thrown;
    context_.reset(mtmd_init_from_file(options.path.c_str(), model, params));
  }
  if (context_ == nullptr) {
    const std::string reason =
        "Cannot load the projector " + options.path + ": " + capture.Reason("llama.cpp gave no reason");
    if (device::Meaning(reason, ErrorCode::kProjectorLoadFailed) == ErrorCode::kProjectorLoadFailed) {
      throw NativeError(ErrorCode::kProjectorLoadFailed,
                        reason + " Use the projector that was made for this language model.");
    }
    throw device::Failure(reason, ErrorCode::kProjectorLoadFailed);
  }
  if (!mtmd_support_vision(context_.get())) {
    throw NativeError(ErrorCode::kProjectorLoadFailed,
                      "Expected a vision projector in " + options.path +
                          " but it has none (audio only). Use the model's image projector.");
  }
  if (UsesNonCausalImages()) {
    // Wide, tall and large: whichever shape this model cuts into the most rows.
    for (const auto& [width, height] : {std::pair(4096, 4096), std::pair(4096, 512), std::pair(512, 4096)}) {
      non_causal_row_count_ = std::max(non_causal_row_count_, CountRows(width, height));
    }
  }
}

// A context of a lost device is left behind, with what the device no longer has.
Projector::~Projector() {
  if (is_lost_) static_cast<void>(context_.release());
}

bool Projector::UsesMrope() const { return mtmd_decode_use_mrope(context_.get()); }

bool Projector::UsesNonCausalImages() const { return mtmd_decode_use_non_causal(context_.get(), nullptr); }

namespace {

mtmd::input_chunks_ptr Cut(mtmd_context* context, uint32_t width, uint32_t height, const uint8_t* rgb) {
  const mtmd::bitmap_ptr bitmap(mtmd_bitmap_init(width, height, rgb));
  mtmd::input_chunks_ptr chunks(mtmd_input_chunks_init());
  mtmd_input_part part = {};
  part.bitmap = bitmap.get();
  const mtmd_input_part* parts[] = {&part};
  const log::Capture capture;
  std::string reason;
  try {
    const assertions::Thrown thrown;
    if (mtmd_tokenize_from_parts(context, chunks.get(), parts, 1, false) == 0) return chunks;
    reason = capture.Reason("libmtmd gave no reason");
  } catch (const std::runtime_error& error) {
    reason = error.what();
  }
  throw NativeError(ErrorCode::kImageFailed, "Cannot preprocess a picture of " + std::to_string(width) + " x " +
                                                 std::to_string(height) + ": " + reason + " Try another size.");
}

}  // namespace

int32_t Projector::CountRows(uint32_t width, uint32_t height) const {
  const mtmd::input_chunks_ptr chunks = Cut(context_.get(), width, height, nullptr);
  size_t largest = 0;
  for (size_t i = 0; i < mtmd_input_chunks_size(chunks.get()); i++) {
    const mtmd_input_chunk* chunk = mtmd_input_chunks_get(chunks.get(), i);
    if (mtmd_input_chunk_get_type(chunk) != MTMD_INPUT_CHUNK_TYPE_IMAGE) continue;
    largest = std::max(largest, mtmd_input_chunk_get_n_tokens(chunk));
  }
  return static_cast<int32_t>(largest);
}

// Throws NativeError IMAGE_FAILED, PROJECTOR_LOAD_FAILED where no graph can be built of the file, NO_THREADS,
// OUT_OF_MEMORY or DEVICE_LOST. libmtmd waits for the device before it frees a context, in a destructor: where the
// device is lost, that wait would end the process. So the destructor is told.
void Projector::EncodeChunk(const mtmd_input_chunk* chunk) {
  CheckThreads();
  const log::Capture capture;
  std::string reason;
  try {
    const assertions::Thrown thrown;
    if (mtmd_encode_chunk(context_.get(), chunk) == 0) return;
    reason = capture.Reason("libmtmd gave no reason");
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::system_error&) {
    throw;
  } catch (const std::exception& error) {
    reason = error.what();
  }
  // What the graph cannot be built of is no fault of the picture.
  if (reason.find("GGML_ASSERT") != std::string::npos || reason.find("a tensor is missing") != std::string::npos) {
    throw NativeError(ErrorCode::kProjectorLoadFailed,
                      "Cannot encode the picture with this projector: " + reason +
                          ". Its file may be damaged, or made for another program: download it again.");
  }
  const NativeError failure =
      device::Failure("Cannot encode the picture: " + reason + " Try another one.", ErrorCode::kImageFailed);
  is_lost_ = failure.Code() == ErrorCode::kDeviceLost;
  throw failure;
}

std::vector<std::shared_ptr<const ImageChunk>> Projector::Encode(uint32_t width, uint32_t height, const uint8_t* rgb,
                                                                 int32_t embedding_size,
                                                                 const std::function<bool()>& is_cancelled) {
  const auto check_cancelled = [&] {
    if (is_cancelled()) throw NativeError(ErrorCode::kCancelled, "Encoding the picture was cancelled.");
  };
  check_cancelled();
  const Asking asking(*this, is_cancelled);
  const mtmd::input_chunks_ptr chunks = Cut(context_.get(), width, height, rgb);
  std::vector<std::shared_ptr<const ImageChunk>> encoded;
  for (size_t i = 0; i < mtmd_input_chunks_size(chunks.get()); i++) {
    const mtmd_input_chunk* chunk = mtmd_input_chunks_get(chunks.get(), i);
    auto part = std::make_shared<ImageChunk>();
    part->row_count = static_cast<int32_t>(mtmd_input_chunk_get_n_tokens(chunk));
    if (part->row_count == 0) continue;
    if (mtmd_input_chunk_get_type(chunk) == MTMD_INPUT_CHUNK_TYPE_TEXT) {
      size_t count = 0;
      const llama_token* tokens = mtmd_input_chunk_get_tokens_text(chunk, &count);
      part->tokens.assign(tokens, tokens + count);
      part->position_count = part->row_count;
      encoded.push_back(std::move(part));
      continue;
    }
    check_cancelled();
    try {
      EncodeChunk(chunk);
    } catch (const NativeError&) {
      check_cancelled();
      throw;
    }
    check_cancelled();
    const float* embeddings = mtmd_get_output_embd(context_.get());
    part->embeddings.assign(embeddings, embeddings + static_cast<size_t>(part->row_count) * embedding_size);
    part->position_count = mtmd_input_chunk_get_n_pos(chunk);
    part->is_causal = !mtmd_decode_use_non_causal(context_.get(), chunk);
    part->layout.reset(mtmd_input_chunk_get_placeholder(chunk), [](const mtmd_input_chunk* layout) {
      mtmd_input_chunk_free(const_cast<mtmd_input_chunk*>(layout));
    });
    encoded.push_back(std::move(part));
  }
  if (encoded.empty()) {
    throw NativeError(ErrorCode::kImageFailed, "The picture gives no image tokens. Try a larger one.");
  }
  return encoded;
}

std::vector<llama_pos> ImageChunk::Positions(llama_pos start, int32_t first, int32_t count, bool uses_mrope) const {
  std::vector<llama_pos> positions;
  if (!uses_mrope) {
    for (int32_t row = first; row < first + count; row++) positions.push_back(start + row);
    return positions;
  }
  // Four coordinates, one after the other: time, row, column, and one that is reserved.
  positions.resize(static_cast<size_t>(count) * 4);
  const mtmd_image_tokens* image = mtmd_input_chunk_get_tokens_image(layout.get());
  for (int32_t i = 0; i < count; i++) {
    const mtmd_decoder_pos position = mtmd_image_tokens_get_decoder_pos(image, start, first + i);
    positions[i] = static_cast<llama_pos>(position.t);
    positions[i + count] = static_cast<llama_pos>(position.y);
    positions[i + count * 2] = static_cast<llama_pos>(position.x);
    positions[i + count * 3] = static_cast<llama_pos>(position.z);
  }
  return positions;
}

}  // namespace eta::vision
