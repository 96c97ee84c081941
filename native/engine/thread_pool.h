#pragma once

#include <cstdint>
#include <memory>

#include "ggml.h"

namespace eta::thread_pool {

struct Free {
  void operator()(ggml_threadpool* pool) const;
};
using Pool = std::unique_ptr<ggml_threadpool, Free>;

// Threads that live as long as their context; without it ggml would make new ones for every step. They sleep between
// steps. Null where one is enough. Throws NativeError CONTEXT_FAILED where the system gives no more threads.
Pool Make(int32_t thread_count);

}  // namespace eta::thread_pool
