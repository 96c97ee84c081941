// Failures on demand, for tests: llama_decode that fails, throws or waits, allocations that fail. See planted-addon.ts.
#undef llama_decode
#undef llama_set_abort_callback
#undef napi_register_module_v1
// The header was read under other names by everyone else; here it is read under its own.
#include "llama.h"

#include <napi.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <utility>

extern "C" napi_value planted_napi_register_module_v1(napi_env env, napi_value exports);

namespace {

enum class Rows { kNone, kSome, kAll };

struct Plan {
  int64_t first = 0;  // the decode that fails, counted from 1 behind plant(); 0 = none
  int64_t count = 1;  // decodes that fail from there on
  double share = 0;   // of all decodes from `first` on, drawn by `seed`; 0 = all of the count
  uint64_t seed = 0;
  Rows rows = Rows::kNone;
  int64_t nodes = 0;  // graph nodes computed before it ends, under kSome
  int32_t code = 0;
  bool throws = false;
  int64_t delay_ms = 0;  // of every decode
};

std::mutex mutex;
std::condition_variable changed;
Plan plan;
int64_t decode_count = 0;   // since plant()
int64_t failure_count = 0;  // since plant()
int32_t last_code = 0;      // what llama.cpp itself returned last
bool is_held = false;
bool is_waiting = false;

struct Abort {
  ggml_abort_callback callback;
  void* data;
};
std::map<llama_context*, Abort> aborts;

int64_t nodes_left = -1;
bool EndsHere(void* data) {
  const auto* abort = static_cast<const Abort*>(data);
  if (nodes_left > 0 && --nodes_left == 0) return true;
  return abort->callback != nullptr && abort->callback(abort->data);
}

std::atomic<int64_t> allocations_left{-1};  // until one fails; negative = none does
std::atomic<bool> has_failed{false};
std::atomic<bool> is_in_decode{false};
std::atomic<bool> counts_decodes{false};
std::thread::id planter;
std::atomic<bool> counts{false};

void Count() {
  if (!counts.load(std::memory_order_relaxed) || std::this_thread::get_id() == planter) return;
  if (is_in_decode && !counts_decodes) return;
  if (allocations_left.fetch_sub(1) != 0) return;
  has_failed = true;
  counts = false;
  throw std::bad_alloc();
}

uint64_t Next(uint64_t& state) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

struct InDecode {
  InDecode() { is_in_decode = true; }
  ~InDecode() { is_in_decode = false; }
};

int32_t Real(llama_context* context, const llama_batch& batch) {
  const InDecode in_decode;
  const int32_t code = llama_decode(context, batch);
  last_code = code;
  return code;
}

}  // namespace

extern "C" void planted_llama_set_abort_callback(llama_context* context, ggml_abort_callback callback, void* data) {
  const std::lock_guard<std::mutex> lock(mutex);
  aborts[context] = {callback, data};
  llama_set_abort_callback(context, callback, data);
}

extern "C" int32_t planted_llama_decode(llama_context* context, llama_batch batch) {
  Plan now;
  {
    std::unique_lock<std::mutex> lock(mutex);
    decode_count++;
    is_waiting = true;
    changed.notify_all();
    changed.wait(lock, [] { return !is_held; });
    is_waiting = false;
    if (plan.delay_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(plan.delay_ms));
    const bool is_reached = plan.first > 0 && decode_count >= plan.first && failure_count < plan.count;
    const bool is_drawn =
        plan.share <= 0 || static_cast<double>(Next(plan.seed) >> 11) / 9007199254740992.0 < plan.share;
    if (is_reached && is_drawn) {
      failure_count++;
      now = plan;
      if (plan.share > 0) {
        // Every way of failing comes in its turn.
        constexpr int32_t kCodes[] = {1, -1, -2, -3};
        now.code = kCodes[Next(plan.seed) % 4];
        // The cache is found full, and a batch wrong, before anything is computed.
        now.rows = now.code == 1 || now.code == -1 ? Rows::kNone : static_cast<Rows>(Next(plan.seed) % 3);
        now.nodes = 1 + static_cast<int64_t>(Next(plan.seed) % 150);
        now.throws = now.code == -3 && Next(plan.seed) % 2 == 0;
      }
    }
  }
  if (now.first == 0) return Real(context, batch);
  if (now.rows == Rows::kAll) Real(context, batch);
  if (now.rows == Rows::kSome) {
    Abort& abort = aborts[context];
    nodes_left = now.nodes;
    llama_set_abort_callback(context, EndsHere, &abort);
    Real(context, batch);
    llama_set_abort_callback(context, abort.callback, abort.data);
    nodes_left = -1;
  }
  if (now.throws) throw std::bad_alloc();
  return now.code;
}

// With count 1 an allocation fails once; the next ones, of whoever cleans up, succeed.
void* operator new(std::size_t size) {
  Count();
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

int64_t Number(const Napi::Object& options, const char* name, int64_t fallback) {
  const Napi::Value value = options.Get(name);
  return value.IsNumber() ? value.As<Napi::Number>().Int64Value() : fallback;
}

void PlantFailure(const Napi::CallbackInfo& info) {
  const std::lock_guard<std::mutex> lock(mutex);
  plan = Plan();
  decode_count = 0;
  failure_count = 0;
  last_code = 0;
  if (!info[0].IsObject()) return;
  const Napi::Object options = info[0].As<Napi::Object>();
  plan.delay_ms = Number(options, "delayMs", 0);
  plan.first = plan.delay_ms > 0 ? 0 : Number(options, "decode", 1);
  plan.count = Number(options, "count", 1);
  plan.code = static_cast<int32_t>(Number(options, "code", 0));
  plan.nodes = Number(options, "nodes", 0);
  plan.seed = static_cast<uint64_t>(Number(options, "seed", 1)) * 0x9e3779b97f4a7c15 + 1;
  const Napi::Value share = options.Get("share");
  if (share.IsNumber()) plan.share = share.As<Napi::Number>().DoubleValue();
  const Napi::Value throws = options.Get("throws");
  plan.throws = throws.IsBoolean() && throws.As<Napi::Boolean>().Value();
  const Napi::Value rows = options.Get("rows");
  const std::string word = rows.IsString() ? rows.As<Napi::String>().Utf8Value() : "none";
  plan.rows = word == "all" ? Rows::kAll : word == "some" ? Rows::kSome : Rows::kNone;
}

Napi::Value Planted(const Napi::CallbackInfo& info) {
  const std::lock_guard<std::mutex> lock(mutex);
  Napi::Object object = Napi::Object::New(info.Env());
  object["decodeCount"] = static_cast<double>(decode_count);
  object["failureCount"] = static_cast<double>(failure_count);
  object["lastCode"] = last_code;
  object["isWaiting"] = is_waiting;
  return object;
}

void HoldDecodes(const Napi::CallbackInfo& info) {
  const std::lock_guard<std::mutex> lock(mutex);
  is_held = info[0].As<Napi::Boolean>().Value();
  changed.notify_all();
}

// plantAllocation(k, withDecodes): the k-th allocation from here on fails, off this thread; 0 = none. Says whether the
// one before has failed.
Napi::Value PlantAllocation(const Napi::CallbackInfo& info) {
  const bool had_failed = has_failed;
  planter = std::this_thread::get_id();
  counts = false;
  has_failed = false;
  counts_decodes = info[1].IsBoolean() && info[1].As<Napi::Boolean>().Value();
  const int64_t at = info[0].As<Napi::Number>().Int64Value();
  allocations_left = at - 1;
  counts = at > 0;
  return Napi::Boolean::New(info.Env(), had_failed);
}

}  // namespace

extern "C" NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  planted_napi_register_module_v1(env, exports);
  Napi::Object object(env, exports);
  object["plantFailure"] = Napi::Function::New(env, PlantFailure, "plantFailure");
  object["planted"] = Napi::Function::New(env, Planted, "planted");
  object["holdDecodes"] = Napi::Function::New(env, HoldDecodes, "holdDecodes");
  object["plantAllocation"] = Napi::Function::New(env, PlantAllocation, "plantAllocation");
  return object;
}
