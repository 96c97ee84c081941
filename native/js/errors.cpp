#include "js/errors.h"

#include <new>
#include <string>
#include <system_error>

#include "engine/device.h"
#include "engine/thread_pool.h"

namespace eta::errors {

const char* CodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case ErrorCode::kModelLoadFailed:
      return "MODEL_LOAD_FAILED";
    case ErrorCode::kProjectorLoadFailed:
      return "PROJECTOR_LOAD_FAILED";
    case ErrorCode::kCancelled:
      return "CANCELLED";
    case ErrorCode::kTextTooLong:
      return "TEXT_TOO_LONG";
    case ErrorCode::kContextFailed:
      return "CONTEXT_FAILED";
    case ErrorCode::kNoProjector:
      return "NO_PROJECTOR";
    case ErrorCode::kImageFailed:
      return "IMAGE_FAILED";
    case ErrorCode::kSequenceLimit:
      return "SEQUENCE_LIMIT";
    case ErrorCode::kUnknownSequence:
      return "UNKNOWN_SEQUENCE";
    case ErrorCode::kCacheFull:
      return "CACHE_FULL";
    case ErrorCode::kForkUnsupported:
      return "FORK_UNSUPPORTED";
    case ErrorCode::kNothingToSample:
      return "NOTHING_TO_SAMPLE";
    case ErrorCode::kDecodeFailed:
      return "DECODE_FAILED";
    case ErrorCode::kStateMismatch:
      return "STATE_MISMATCH";
    case ErrorCode::kOutOfMemory:
      return "OUT_OF_MEMORY";
    case ErrorCode::kNoThreads:
      return "NO_THREADS";
    case ErrorCode::kDeviceFailed:
      return "DEVICE_FAILED";
    case ErrorCode::kDeviceLost:
      return "DEVICE_LOST";
    case ErrorCode::kDisposed:
      return "DISPOSED";
  }
  return "INVALID_ARGUMENT";  // no code is without a case
}

namespace {

NativeError OfLibrary(const std::exception& error, ErrorCode otherwise) {
  return device::Failure(std::string("Expected no failure of a library, received: ") + error.what() + ".", otherwise);
}

}  // namespace

NativeError Caught(ErrorCode otherwise) {
  try {
    throw;
  } catch (const NativeError& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return NativeError(otherwise, "Expected memory for this call, found none. Free some, or ask for less.");
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::resource_unavailable_try_again) return thread_pool::NoThread(error);
    return OfLibrary(error, otherwise);
  } catch (const std::exception& error) {
    return OfLibrary(error, otherwise);
  } catch (...) {
    return NativeError(otherwise, "Expected no failure of a library, received one without words.");
  }
}

Napi::Error ToJs(Napi::Env env, const NativeError& error) {
  Napi::Error js_error = Napi::Error::New(env, error.what());
  js_error.Set("code", Napi::String::New(env, CodeName(error.Code())));
  return js_error;
}

}  // namespace eta::errors
