#include "js/arguments.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "js/errors.h"

namespace eta::arguments {

namespace {

std::string Describe(const Napi::Value& value) {
  switch (value.Type()) {
    case napi_undefined:
      return "nothing";
    case napi_null:
      return "null";
    case napi_boolean:
      return value.As<Napi::Boolean>().Value() ? "true" : "false";
    case napi_number:
      return value.ToString().Utf8Value();
    case napi_string: {
      const std::string text = value.As<Napi::String>().Utf8Value();
      return text.size() > 60 ? "a string of " + std::to_string(text.size()) + " bytes" : "\"" + text + "\"";
    }
    case napi_function:
      return "a function";
    default:
      break;
  }
  if (value.IsArray()) return "an array of " + std::to_string(value.As<Napi::Array>().Length());
  if (value.IsTypedArray()) return "a typed array of " + std::to_string(value.As<Napi::TypedArray>().ElementLength());
  return value.IsObject() ? "an object" : "a value of another type";
}

std::string Plain(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (!text.empty() && text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

Napi::Error Invalid(Napi::Env env, const std::string& name, const std::string& expected, const Napi::Value& received) {
  return errors::ToJs(env, NativeError(ErrorCode::kInvalidArgument, "Expected " + expected + " for " + name +
                                                                        " but received " + Describe(received) + "."));
}

bool IsInteger(const Napi::Value& value, int64_t min, int64_t max) {
  if (!value.IsNumber()) return false;
  const double number = value.As<Napi::Number>().DoubleValue();
  // False for NaN too.
  return number >= static_cast<double>(min) && number <= static_cast<double>(max) && std::trunc(number) == number;
}

int64_t Integer(const Napi::Value& value, const std::string& name, int64_t min, int64_t max) {
  if (IsInteger(value, min, max)) return static_cast<int64_t>(value.As<Napi::Number>().DoubleValue());
  throw Invalid(value.Env(), name, "an integer from " + std::to_string(min) + " to " + std::to_string(max), value);
}

double Number(const Napi::Value& value, const std::string& name, double min, double max) {
  if (value.IsNumber()) {
    const double number = value.As<Napi::Number>().DoubleValue();
    if (number >= min && number <= max) return number;
  }
  throw Invalid(value.Env(), name, "a number from " + Plain(min) + " to " + Plain(max), value);
}

bool Boolean(const Napi::Value& value, const std::string& name) {
  if (!value.IsBoolean()) throw Invalid(value.Env(), name, "true or false", value);
  return value.As<Napi::Boolean>().Value();
}

std::string Text(const Napi::Value& value, const std::string& name) {
  if (!value.IsString()) throw Invalid(value.Env(), name, "a string", value);
  return value.As<Napi::String>().Utf8Value();
}

Napi::Object Object(const Napi::Value& value, const std::string& name) {
  if (!value.IsObject() || value.IsArray() || value.IsFunction()) {
    throw Invalid(value.Env(), name, "an object", value);
  }
  return value.As<Napi::Object>();
}

Napi::Array Array(const Napi::Value& value, const std::string& name) {
  if (!value.IsArray()) throw Invalid(value.Env(), name, "an array", value);
  return value.As<Napi::Array>();
}

size_t Choice(const Napi::Value& value, const std::string& name, const std::vector<const char*>& words) {
  std::string expected;
  const std::string received = value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
  for (size_t i = 0; i < words.size(); i++) {
    if (value.IsString() && received == words[i]) return i;
    expected += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + std::string("\"") + words[i] + "\"";
  }
  throw Invalid(value.Env(), name, expected, value);
}

std::vector<int32_t> Tokens(const Napi::Value& value, const std::string& name, int32_t vocabulary_size) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array) {
    throw Invalid(value.Env(), name, "an Int32Array of tokens", value);
  }
  const Napi::Int32Array array = value.As<Napi::Int32Array>();
  std::vector<int32_t> tokens(array.ElementLength());
  if (!tokens.empty()) std::memcpy(tokens.data(), array.Data(), tokens.size() * sizeof(int32_t));
  for (const int32_t token : tokens) {
    if (token >= 0 && token < vocabulary_size) continue;
    throw errors::ToJs(value.Env(), NativeError(ErrorCode::kInvalidArgument,
                                                "Expected tokens from 0 to " + std::to_string(vocabulary_size - 1) +
                                                    " in " + name + " but received " + std::to_string(token) + "."));
  }
  return tokens;
}

std::vector<float> Floats(const Napi::Value& value, const std::string& name, int32_t count) {
  const std::string expected = "a Float32Array of " + std::to_string(count) + " finite numbers";
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float32_array) {
    throw Invalid(value.Env(), name, expected, value);
  }
  const Napi::Float32Array array = value.As<Napi::Float32Array>();
  std::vector<float> numbers(array.ElementLength());
  if (!numbers.empty()) std::memcpy(numbers.data(), array.Data(), numbers.size() * sizeof(float));
  const bool is_finite =
      std::all_of(numbers.begin(), numbers.end(), [](float number) { return std::isfinite(number); });
  if (numbers.size() == static_cast<size_t>(count) && is_finite) return numbers;
  if (is_finite) throw Invalid(value.Env(), name, expected, value);
  throw errors::ToJs(value.Env(), NativeError(ErrorCode::kInvalidArgument, "Expected " + expected + " for " + name +
                                                                               " but one of them is not finite."));
}

std::vector<uint8_t> Bytes(const Napi::Value& value, const std::string& name) {
  if (!value.IsTypedArray() || (value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array &&
                                value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_clamped_array)) {
    throw Invalid(value.Env(), name, "a Uint8Array", value);
  }
  const Napi::Uint8Array array = value.As<Napi::Uint8Array>();
  const size_t size = array.ByteLength();
  const uint8_t* data = size == 0 ? nullptr : array.Data();
  return size == 0 ? std::vector<uint8_t>() : std::vector<uint8_t>(data, data + size);
}

LentBytes::LentBytes(const Napi::Value& value, const std::string& name) {
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) {
    size_t size = 0;
    void* data = nullptr;
    napi_value buffer = nullptr;
    bool is_ordinary = true;
    const bool is_read =
        napi_get_typedarray_info(value.Env(), value, nullptr, &size, &data, &buffer, nullptr) == napi_ok &&
        napi_is_arraybuffer(value.Env(), buffer, &is_ordinary) == napi_ok;
    if (is_read && !is_ordinary) {
      data_ = static_cast<const uint8_t*>(data);
      size_ = size;
      return;
    }
  }
  copy_ = Bytes(value, name);
  data_ = copy_.data();
  size_ = copy_.size();
}

}  // namespace eta::arguments
