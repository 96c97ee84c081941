#pragma once

#include <napi.h>

#include <cstring>

namespace eta {

// A typed array, such as Napi::Int32Array, with a copy of the values of a vector or a string.
template <typename Array, typename Values>
Array TypedArrayOf(Napi::Env env, const Values& values) {
  Array array = Array::New(env, values.size());
  static_assert(sizeof(*array.Data()) == sizeof(*values.data()));
  if (!values.empty()) std::memcpy(array.Data(), values.data(), values.size() * sizeof(*values.data()));
  return array;
}

}  // namespace eta
