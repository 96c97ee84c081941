#pragma once

#include <napi.h>

#include <vector>

#include "engine/run.h"

// What goes into a context and comes out of it, read from JavaScript and made for it.
namespace eta {

// All but the output.
ContextSettings ReadContextSettings(const Napi::Value& value, const ModelFacts& facts);
// Behind which a state can be read and steered: llama.cpp has no control vector for the first.
int32_t ReadLayer(const Napi::Value& value, const char* name, const ModelFacts& facts);
SamplerSettings ReadSampler(const Napi::Value& value);
int32_t ReadSequenceId(const Napi::Value& value);
// A count of what `name` says, from 0.
int32_t ReadCount(const Napi::Value& value, const char* name);
RunRequest ReadRun(const Napi::Value& value);
std::vector<PendingItem> ReadParts(const Napi::Value& value, const LoadedModel& model);

Napi::Object ContextFactsToJs(Napi::Env env, const ContextFacts& facts);
Napi::Object SequenceFactsToJs(Napi::Env env, const SequenceFacts& facts);
Napi::Object StatisticsToJs(Napi::Env env, const ContextStatistics& statistics);
Napi::Object ReportToJs(Napi::Env env, const RunReport& report);

}  // namespace eta
