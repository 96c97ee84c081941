#pragma once

#include <napi.h>

#include "engine/native_error.h"

// Failures on their way to JavaScript.
namespace eta::errors {

const char* CodeName(ErrorCode code);
Napi::Error ToJs(Napi::Env env, const NativeError& error);
// What the current exception, one of C++, becomes: a NativeError as it is, anything else under this code.
NativeError Caught(ErrorCode otherwise);

// The body of a method: what C++ throws in it leaves as a JS Error with a code, as everything else does.
template <typename Body>
Napi::Value Guarded(const Napi::CallbackInfo& info, Body body) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw ToJs(info.Env(), Caught(ErrorCode::kInvalidArgument));
  }
}

}  // namespace eta::errors
