#pragma once

#include <stdexcept>
#include <string>

namespace eta {

// What may go wrong, on either thread: NativeErrorCode in src/native/error-types.ts, where each is explained.
// errors::CodeName gives the names.
enum class ErrorCode {
  kInvalidArgument,
  kModelLoadFailed,
  kProjectorLoadFailed,
  kCancelled,
  kTextTooLong,
  kContextFailed,
  kNoProjector,
  kImageFailed,
  kSequenceLimit,
  kUnknownSequence,
  kCacheFull,
  kForkUnsupported,
  kNothingToSample,
  kDecodeFailed,
  kStateMismatch,
  kOutOfMemory,
  kNoThreads,
  kDeviceFailed,
  kDeviceLost,
  kDisposed,
};

// Becomes a JS Error whose `code` is the name of its code.
class NativeError : public std::runtime_error {
 public:
  NativeError(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode Code() const { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace eta
