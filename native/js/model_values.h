#pragma once

#include <napi.h>

#include "engine/loaded_model.h"

// What goes into a model and comes out of it, read from JavaScript and made for it.
namespace eta {

ModelSettings ReadModelSettings(const Napi::Value& value);
Napi::Object ModelFactsToJs(Napi::Env env, const ModelFacts& facts);

}  // namespace eta
