#pragma once

#include <cstdint>
#include <memory>
#include <system_error>

#include "engine/native_error.h"
#include "ggml.h"

namespace eta::thread_pool {

struct Free {
  void operator()(ggml_threadpool* pool) const;
};
using Pool = std::unique_ptr<ggml_threadpool, Free>;

// That the system gives so many threads more: ggml ends the process where it gets none, so as many are tried out first,
// all alive at once. Throws NativeError NO_THREADS.
void Check(int32_t count);

// For one thread that the system has refused.
NativeError NoThread(const std::system_error& error);

// Threads that live as long as their context; without it ggml would make new ones for every step. They sleep between
// steps. Null where one is enough. Throws NativeError NO_THREADS.
Pool Make(int32_t thread_count);

}  // namespace eta::thread_pool
