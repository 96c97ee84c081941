#include "engine/thread_pool.h"

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "engine/device.h"
#include "ggml-backend.h"
#include "ggml-cpu.h"

namespace eta::thread_pool {

namespace {

// Of the CPU's backend, which may be a library that was loaded at run time.
template <typename Function>
Function Find(const char* name) {
  ggml_backend_dev_t cpu = device::Processor();
  if (cpu == nullptr) return nullptr;
  return reinterpret_cast<Function>(ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpu), name));
}

// Keeps threads until all are there.
class Latch {
 public:
  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    opened_.wait(lock, [this] { return is_open_; });
  }
  void Open() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      is_open_ = true;
    }
    opened_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool is_open_ = false;
};

#ifdef __linux__
long OwnId() { return syscall(SYS_gettid); }

// A thread that was joined counts against the limit until the kernel has forgotten it, some microseconds longer.
void AwaitForgotten(long id) {
  for (int tries = 0; tries < 1000 && syscall(SYS_tgkill, getpid(), id, 0) == 0; tries++) {
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}
#else
long OwnId() { return 0; }
void AwaitForgotten(long) {}
#endif

}  // namespace

void Check(int32_t count) {
  std::vector<long> ids(static_cast<size_t>(count));
  std::vector<std::thread> threads;
  threads.reserve(ids.size());
  Latch latch;
  std::exception_ptr failure;
  bool are_given = true;
  try {
    for (long& id : ids) {
      threads.emplace_back([&id, &latch] {
        id = OwnId();
        latch.Wait();
      });
    }
  } catch (const std::system_error&) {
    are_given = false;
  } catch (...) {
    failure = std::current_exception();
  }
  latch.Open();
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < threads.size(); i++) AwaitForgotten(ids[i]);
  if (failure != nullptr) std::rethrow_exception(failure);
  if (are_given) return;
  throw NativeError(ErrorCode::kNoThreads, "Expected " + std::to_string(count) + " more threads but the system gives " +
                                               std::to_string(threads.size()) +
                                               ". Ask for fewer (threadCount), or raise the limit.");
}

NativeError NoThread(const std::system_error& error) {
  return NativeError(ErrorCode::kNoThreads, std::string("Expected one more thread, received: ") + error.what() +
                                                ". Dispose of a model, or raise the limit of threads.");
}

void Free::operator()(ggml_threadpool* pool) const {
  const auto free = Find<decltype(&ggml_threadpool_free)>("ggml_threadpool_free");
  if (free != nullptr) free(pool);
}

Pool Make(int32_t thread_count) {
  const auto make = Find<decltype(&ggml_threadpool_new)>("ggml_threadpool_new");
  if (thread_count < 2 || make == nullptr) return nullptr;
  Check(thread_count - 1);
  ggml_threadpool_params params = ggml_threadpool_params_default(thread_count);
  params.poll = 0;
  return Pool(make(&params));
}

}  // namespace eta::thread_pool
