#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "engine/loaded_model.h"

namespace eta {

// NativeImage: an encoded picture of one model.
class Image : public Napi::ObjectWrap<Image> {
 public:
  using Chunks = std::vector<std::shared_ptr<const vision::ImageChunk>>;

  static void Register(Napi::Env env);
  static Napi::Object Create(Napi::Env env, const std::shared_ptr<LoadedModel>& model, Chunks chunks);
  static bool Is(const Napi::Value& value);

  explicit Image(const Napi::CallbackInfo& info);

  // The chunks; throws DISPOSED, or INVALID_ARGUMENT when the image belongs to another model.
  const Chunks& ChunksFor(Napi::Env env, const LoadedModel& model) const;

 private:
  Napi::Value Dispose(const Napi::CallbackInfo& info);

  std::shared_ptr<LoadedModel> model_;
  Chunks chunks_;
};

}  // namespace eta
