#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "llama.h"

struct mtmd_context;
struct mtmd_input_chunk;

// Everything that knows libmtmd. All of it runs on the model's thread.
namespace eta::vision {

void SetLog(ggml_log_callback callback);

struct ProjectorOptions {
  std::string path;
  bool use_gpu = false;
  ggml_backend_dev_t device = nullptr;  // null = libmtmd's choice
  int32_t thread_count = 1;
  llama_progress_callback on_progress = nullptr;
  void* progress_data = nullptr;
};

// A piece of an encoded picture: either tokens of the vocabulary (tile markers and the like) or rows of embeddings.
struct ImageChunk {
  std::vector<llama_token> tokens;
  std::vector<float> embeddings;  // [row_count, embedding_size]
  int32_t row_count = 0;          // KV cells
  int32_t position_count = 0;
  bool is_causal = true;
  std::shared_ptr<const mtmd_input_chunk> layout;  // for positions under M-RoPE; carries no pixels

  // Positions of rows [first, first + count) when the first row of the chunk stands at `start`: [1 or 4, count].
  std::vector<llama_pos> Positions(llama_pos start, int32_t first, int32_t count, bool uses_mrope) const;
};

class Projector {
 public:
  // Throws NativeError PROJECTOR_LOAD_FAILED, NO_THREADS.
  Projector(const ProjectorOptions& options, const llama_model* model);
  ~Projector();
  // libmtmd calls it back by its address.
  Projector(const Projector&) = delete;
  Projector& operator=(const Projector&) = delete;

  bool UsesMrope() const;
  bool UsesNonCausalImages() const;
  // Rows of the largest picture, where the model needs them in one micro batch; 0 for causal models.
  int32_t NonCausalRowCount() const { return non_causal_row_count_; }

  // rgb: [height, width, 3], not needed after it is cut. `is_cancelled` is asked several times a block of the encoder.
  // Throws NativeError IMAGE_FAILED, PROJECTOR_LOAD_FAILED where no graph can be built, NO_THREADS, or CANCELLED.
  std::vector<std::shared_ptr<const ImageChunk>> Encode(uint32_t width, uint32_t height, const uint8_t* rgb,
                                                        int32_t embedding_size,
                                                        const std::function<bool()>& is_cancelled);

 private:
  // While it lives, the encoder asks whether to go on.
  class Asking {
   public:
    Asking(Projector& projector, const std::function<bool()>& is_cancelled) : projector_(projector) {
      projector.is_cancelled_ = &is_cancelled;
    }
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;
    ~Asking() { projector_.is_cancelled_ = nullptr; }

   private:
    Projector& projector_;
  };

  void CheckThreads() const;
  void EncodeChunk(const mtmd_input_chunk* chunk);
  int32_t CountRows(uint32_t width, uint32_t height) const;
  static bool OnNode(ggml_tensor* node, bool is_question, void* data);

  int32_t thread_count_;
  const std::function<bool()>* is_cancelled_ = nullptr;  // of the picture that is encoded
  uint32_t node_count_ = 0;
  std::unique_ptr<mtmd_context, void (*)(mtmd_context*)> context_;
  bool is_lost_ = false;  // with its device
  int32_t non_causal_row_count_ = 0;
};

}  // namespace eta::vision
