#include "js/image.h"

#include "js/environment.h"
#include "js/errors.h"

namespace eta {

namespace {

constexpr napi_type_tag kImageTag = {0x9d1f4e4f6f2c4a17, 0xb7a3c0f2e5d84b61};

// What only native code can hand to the constructor.
struct Construction {
  std::shared_ptr<LoadedModel> model;
  Image::Chunks chunks;
};

}  // namespace

void Image::Register(Napi::Env env) {
  Environment::Of(env).image_class =
      Napi::Persistent(DefineClass(env, "NativeImage", {InstanceMethod<&Image::Dispose>("dispose")}));
}

Napi::Object Image::Create(Napi::Env env, const std::shared_ptr<LoadedModel>& model, Chunks chunks) {
  double rows = 0;
  double positions = 0;
  double bytes = 0;
  for (const auto& chunk : chunks) {
    rows += chunk->row_count;
    positions += chunk->position_count;
    bytes += static_cast<double>(chunk->embeddings.size() * sizeof(float) + chunk->tokens.size() * sizeof(llama_token));
  }
  Construction construction{model, std::move(chunks)};
  Napi::Object image = Environment::Of(env).image_class.New({Napi::External<Construction>::New(env, &construction)});
  image.TypeTag(&kImageTag);
  const auto fact = [&](const char* name, double value) {
    image.DefineProperty(Napi::PropertyDescriptor::Value(name, Napi::Number::New(env, value), napi_enumerable));
  };
  fact("tokenCount", rows);
  fact("positionCount", positions);
  fact("embeddingBytes", bytes);
  return image;
}

bool Image::Is(const Napi::Value& value) {
  return value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&kImageTag);
}

Image::Image(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Image>(info) {
  if (!info[0].IsExternal()) throw Napi::TypeError::New(info.Env(), "Images are made by encodeImage().");
  Construction* construction = info[0].As<Napi::External<Construction>>().Data();
  model_ = construction->model;
  chunks_ = std::move(construction->chunks);
}

const Image::Chunks& Image::ChunksFor(Napi::Env env, const LoadedModel& model) const {
  if (model_ == nullptr || model_->IsDisposed()) {
    throw errors::ToJs(env, NativeError(ErrorCode::kDisposed, "The image was disposed of; encode it again to use it."));
  }
  if (model_.get() != &model) {
    throw errors::ToJs(
        env,
        NativeError(ErrorCode::kInvalidArgument,
                    "Expected an image of this context's model but received one of another model. Encode it again."));
  }
  return chunks_;
}

Napi::Value Image::Dispose(const Napi::CallbackInfo& info) {
  chunks_.clear();
  chunks_.shrink_to_fit();
  model_.reset();
  return info.Env().Undefined();
}

}  // namespace eta
