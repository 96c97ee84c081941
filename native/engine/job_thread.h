#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/mailbox.h"
#include "engine/native_error.h"

namespace eta {

// One piece of work for a native thread; delivered afterwards.
class Job : public Delivery {
 public:
  virtual void Work() = 0;                            // native thread; keeps its own result or error
  virtual void Refuse(const NativeError& error) = 0;  // instead of Work
};

// The thread of one model with its queue: everything that touches llama.cpp objects of that model runs here, in order.
// It owns itself until it has ended; whoever holds a pointer may still ask, and gets DISPOSED.
class JobThread : public std::enable_shared_from_this<JobThread> {
 public:
  // `stack_bytes` 0: the system's own size. Throws NativeError MODEL_LOAD_FAILED where the system gives no thread.
  static std::shared_ptr<JobThread> Start(std::shared_ptr<Mailbox> mailbox, size_t stack_bytes = 0);

  // After Stop the job is refused with DISPOSED.
  void Enqueue(std::unique_ptr<Job> job);

  // What frees the memory, called on the thread after the last job.
  void SetCleanup(std::function<void()> cleanup);

  // Interrupts the running job, refuses the queued ones, cleans up, ends. `closer`, if any, is delivered after that.
  void Stop(std::unique_ptr<Job> closer);

  // Whether a job waits for the one that runs.
  bool HasWaiting();

  // Read by running work, from any thread: llama.cpp's abort and progress callbacks ask it.
  bool IsStopping() const { return is_stopping_.load(std::memory_order_relaxed); }

  const std::shared_ptr<Mailbox>& GetMailbox() const { return mailbox_; }

  // Stops the threads of one mailbox (nullptr: all) and waits until they have ended.
  static void StopAll(const Mailbox* mailbox);
  // The last resort, where the process ends without telling JavaScript: ggml's static destructors must not find a
  // thread that still computes.
  static void StopAllAtExit();

 private:
  explicit JobThread(std::shared_ptr<Mailbox> mailbox) : mailbox_(std::move(mailbox)) {}
  void Loop();

  std::shared_ptr<Mailbox> mailbox_;
  std::atomic<bool> is_stopping_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Job>> queue_;
  std::vector<std::unique_ptr<Job>> closers_;
  std::function<void()> cleanup_;
  bool has_ended_ = false;
};

}  // namespace eta
