#include "engine/thread_pool.h"

#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "engine/native_error.h"
#include "ggml-backend.h"
#include "ggml-cpu.h"

namespace eta::thread_pool {

namespace {

// Of the CPU's backend, which may be a library that was loaded at run time.
template <typename Function>
Function Find(const char* name) {
  ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
  if (cpu == nullptr) return nullptr;
  return reinterpret_cast<Function>(ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpu), name));
}

// ggml ends the process where it gets no thread, so they are tried out first.
void CheckThreads(int32_t count) {
  std::vector<std::thread> threads;
  bool are_given = true;
  try {
    for (int32_t i = 0; i < count; i++) threads.emplace_back([] {});
  } catch (const std::system_error&) {
    are_given = false;
  }
  for (std::thread& thread : threads) thread.join();
  if (are_given) return;
  throw NativeError(ErrorCode::kContextFailed,
                    "Expected " + std::to_string(count) + " more threads but the system gives " +
                        std::to_string(threads.size()) + ". Ask for fewer (threadCount), or raise the limit.");
}

}  // namespace

void Free::operator()(ggml_threadpool* pool) const {
  const auto free = Find<decltype(&ggml_threadpool_free)>("ggml_threadpool_free");
  if (free != nullptr) free(pool);
}

Pool Make(int32_t thread_count) {
  const auto make = Find<decltype(&ggml_threadpool_new)>("ggml_threadpool_new");
  if (thread_count < 2 || make == nullptr) return nullptr;
  CheckThreads(thread_count - 1);
  ggml_threadpool_params params = ggml_threadpool_params_default(thread_count);
  params.poll = 0;
  return Pool(make(&params));
}

}  // namespace eta::thread_pool
