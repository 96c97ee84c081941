#include "js/model.h"

#include "engine/nearest_text.h"
#include "js/arguments.h"
#include "js/context.h"
#include "js/image.h"
#include "js/model_values.h"
#include "js/promise.h"
#include "js/tokenize_job.h"
#include "js/typed_array.h"

namespace eta {

namespace {

// Larger pictures are a mistake (or an attack): libmtmd computes with 32-bit sizes.
constexpr int64_t kMaxImageSide = 32768;
constexpr int64_t kMaxImagePixels = int64_t{1} << 28;

// Made before the promise that goes with it, which nobody would hold if this failed.
Napi::Function Cancel(Napi::Env env, const std::shared_ptr<std::atomic<bool>>& is_cancelled) {
  return Napi::Function::New(env, [is_cancelled](const Napi::CallbackInfo&) { *is_cancelled = true; }, "cancel");
}

// What makes a picture on the model's thread, and is asked now and then whether to go on.
using MakeImage = std::function<Image::Chunks(const LoadedModel&, const std::function<bool()>& is_cancelled)>;

// A NativeEncoding. `keep` stays alive until it settles.
Napi::Object QueueImage(Napi::Env env, const Napi::Object& keep, const std::shared_ptr<LoadedModel>& model,
                        MakeImage make) {
  const auto is_cancelled = std::make_shared<std::atomic<bool>>(false);
  Napi::Object encoding = Napi::Object::New(env);
  encoding["cancel"] = Cancel(env, is_cancelled);
  encoding["image"] = Queue<Image::Chunks>(
      env, keep, model->Thread(), ErrorCode::kImageFailed,
      [model, is_cancelled, make = std::move(make)]() {
        try {
          return make(*model, [&] { return is_cancelled->load() || model->Thread().IsStopping(); });
        } catch (const NativeError&) {
          if (!model->Thread().IsStopping()) throw;
          throw NativeError(ErrorCode::kDisposed, "The model was disposed of while it encoded a picture.");
        }
      },
      [model](Napi::Env env, Image::Chunks& chunks, const Napi::Object&) {
        return Image::Create(env, model, std::move(chunks)).As<Napi::Value>();
      });
  return encoding;
}

std::string PieceName(uint32_t index) { return "pieces[" + std::to_string(index) + "]"; }

// Before megabytes are copied: a text has as many bytes as UTF-16 units, or more.
void CheckLength(const LoadedModel& model, const Napi::Array& pieces, uint32_t piece_count, size_t most_tokens) {
  const size_t most_bytes = model.MostTokenBytes();
  size_t length = 0;
  for (uint32_t index = 0; most_bytes > 0 && index < piece_count; index++) {
    const Napi::Value text = arguments::Object(pieces.Get(index), PieceName(index)).Get("text");
    size_t count = 0;
    if (text.IsString()) napi_get_value_string_utf16(text.Env(), text, nullptr, 0, &count);
    length += count;
  }
  if (most_bytes == 0 || length / most_bytes <= most_tokens) return;
  throw errors::ToJs(pieces.Env(), TextTooLong(most_tokens, length / most_bytes));
}

}  // namespace

void Model::Register(Napi::Env env) {
  const std::vector<Napi::ClassPropertyDescriptor<Model>> methods = {
      InstanceMethod<&Model::Checked<&Model::Tokenize>>("tokenize"),
      InstanceMethod<&Model::Checked<&Model::TokenBytes>>("tokenBytes"),
      InstanceMethod<&Model::Checked<&Model::Vocabulary>>("vocabulary"),
      InstanceMethod<&Model::Checked<&Model::EncodeImage>>("encodeImage"),
      InstanceMethod<&Model::Checked<&Model::NearestText>>("nearestText"),
      InstanceMethod<&Model::Checked<&Model::CreateContext>>("createContext"),
      InstanceMethod<&Model::Checked<&Model::Dispose>>("dispose"),
  };
  Environment::Of(env).model_class = Napi::Persistent(DefineClass(env, "NativeModel", methods));
}

Napi::Object Model::Create(Napi::Env env, const std::shared_ptr<LoadedModel>& model) {
  std::shared_ptr<LoadedModel> handed = model;
  Napi::Object object =
      Environment::Of(env).model_class.New({Napi::External<std::shared_ptr<LoadedModel>>::New(env, &handed)});
  object.DefineProperty(Napi::PropertyDescriptor::Value("facts", ModelFactsToJs(env, model->Facts()), napi_enumerable));
  return object;
}

Model::Model(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Model>(info) {
  if (!info[0].IsExternal()) throw Napi::TypeError::New(info.Env(), "Models are made by loadModel().");
  model_ = *info[0].As<Napi::External<std::shared_ptr<LoadedModel>>>().Data();
}

Model::~Model() {
  // Collected, or the environment ends: nobody waits, the thread frees everything and ends by itself.
  if (model_ == nullptr) return;
  model_->MarkDisposed();
  model_->TextThread().Stop(nullptr);
  model_->Thread().Stop(nullptr);
}

LoadedModel& Model::Use(Napi::Env env) const {
  // Stopping without dispose: an 'exit' listener runs after ours.
  if (model_->IsDisposed() || model_->Thread().IsStopping()) {
    throw errors::ToJs(env, NativeError(ErrorCode::kDisposed, "The model was disposed of; load it again to use it."));
  }
  return *model_;
}

Napi::Value Model::Tokenize(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Use(env);
  const Napi::Array given = arguments::Array(info[0], "pieces");
  const Napi::Object options = arguments::Object(info[1], "options");
  ReadingOptions reading;
  reading.is_continued = arguments::Boolean(options.Get("isContinued"), "isContinued");
  reading.most_tokens = static_cast<size_t>(arguments::Integer(options.Get("maxTokens"), "maxTokens", 0, INT32_MAX));
  reading.slice_bytes = static_cast<size_t>(arguments::Integer(options.Get("sliceBytes"), "sliceBytes", 1, INT32_MAX));
  const uint32_t count = given.Length();  // read once: reading a piece may run JavaScript that appends
  CheckLength(*model_, given, count, reading.most_tokens);
  std::vector<TextPiece> pieces;
  for (uint32_t index = 0; index < count; index++) {
    const std::string name = PieceName(index);
    const Napi::Object piece = arguments::Object(given.Get(index), name);
    pieces.push_back({arguments::Text(piece.Get("text"), name + ".text"),
                      arguments::Boolean(piece.Get("parseSpecial"), name + ".parseSpecial")});
  }
  const auto is_cancelled = std::make_shared<std::atomic<bool>>(false);
  Napi::Object tokenizing = Napi::Object::New(env);
  tokenizing["cancel"] = Cancel(env, is_cancelled);
  tokenizing["tokens"] =
      TokenizeJob::Queue(env, Self(info), model_, TextReader(std::move(pieces), reading), is_cancelled);
  return tokenizing;
}

Napi::Value Model::TokenBytes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const LoadedModel& model = Use(env);
  const int64_t token = arguments::Integer(info[0], "token", 0, model.Facts().vocabulary_size - 1);
  const bool render_special = arguments::Boolean(info[1], "renderSpecial");
  const std::string bytes = model.TokenBytes(static_cast<llama_token>(token), render_special);
  return TypedArrayOf<Napi::Uint8Array>(env, bytes).As<Napi::Value>();
}

Napi::Value Model::Vocabulary(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Use(env);
  const bool render_special = arguments::Boolean(info[0], "renderSpecial");
  return Queue<TokenTable>(
      env, Self(info), model_->Thread(), ErrorCode::kModelLoadFailed,
      [model = model_, render_special]() { return model->AllTokenBytes(render_special); },
      [](Napi::Env env, TokenTable& table, const Napi::Object&) {
        Napi::Object object = Napi::Object::New(env);
        object["bytes"] = TypedArrayOf<Napi::Uint8Array>(env, table.bytes);
        object["starts"] = TypedArrayOf<Napi::Int32Array>(env, table.starts);
        return object.As<Napi::Value>();
      });
}

Napi::Value Model::EncodeImage(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object image = arguments::Object(info[0], "image");
  const int64_t width = arguments::Integer(image.Get("width"), "width", 1, kMaxImageSide);
  const int64_t height = arguments::Integer(image.Get("height"), "height", 1, kMaxImageSide);
  if (width * height > kMaxImagePixels) {
    throw errors::ToJs(
        env, NativeError(ErrorCode::kInvalidArgument,
                         "Expected an image of at most " + std::to_string(kMaxImagePixels) + " pixels but received " +
                             std::to_string(width) + " x " + std::to_string(height) + ". Shrink it."));
  }
  const Napi::Value data = image.Get("data");
  const auto pixels = std::make_shared<const arguments::LentBytes>(data, "data");
  if (static_cast<int64_t>(pixels->size()) != width * height * 3) {
    throw errors::ToJs(env, NativeError(ErrorCode::kInvalidArgument,
                                        "Expected data of width * height * 3 = " + std::to_string(width * height * 3) +
                                            " bytes but received " + std::to_string(pixels->size()) + "."));
  }
  Napi::Object keep = Napi::Object::New(env);
  keep["model"] = Self(info);
  keep["data"] = data;
  return QueueImage(env, keep, model_, [=](const LoadedModel& model, const std::function<bool()>& is_cancelled) {
    if (model.Projector() == nullptr) {
      throw NativeError(ErrorCode::kNoProjector,
                        "Expected a model with a projector to encode an image, but it was loaded "
                        "without one. Give projectorPath to loadModel.");
    }
    return model.Projector()->Encode(static_cast<uint32_t>(width), static_cast<uint32_t>(height), pixels->data(),
                                     model.Facts().input_embedding_size, is_cancelled);
  });
}

Napi::Value Model::NearestText(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Use(env);
  if (!Image::Is(info[0])) throw arguments::Invalid(env, "image", "an image from encodeImage()", info[0]);
  const Image::Chunks chunks = Image::Unwrap(info[0].As<Napi::Object>())->ChunksFor(env, *model_);
  return QueueImage(env, Self(info), model_,
                    [chunks](const LoadedModel& model, const std::function<bool()>& is_cancelled) {
                      return eta::NearestText(model, chunks, is_cancelled);
                    });
}

Napi::Value Model::CreateContext(const Napi::CallbackInfo& info) {
  return Context::Create(info.Env(), Self(info), model_, info[0]);
}

Napi::Value Model::Dispose(const Napi::CallbackInfo& info) {
  model_->MarkDisposed();
  model_->TextThread().Stop(nullptr);
  return QueueStop(info.Env(), Self(info), model_->Thread());
}

}  // namespace eta
