#include "engine/job_thread.h"

#include <cstdlib>
#include <set>
#include <string>
#include <system_error>
#include <thread>

#ifndef _WIN32
#include <pthread.h>
#endif

#include "engine/thread_pool.h"

namespace eta {

namespace {

// Threads alive in this process. Never destroyed: it is needed while static destructors run.
struct Registry {
  std::mutex mutex;
  std::condition_variable ended;
  std::set<std::shared_ptr<JobThread>> threads;
};

Registry& Threads() {
  static Registry* registry = new Registry;
  return *registry;
}

#ifndef _WIN32
void* RunMain(void* data) {
  const std::unique_ptr<std::function<void()>> main(static_cast<std::function<void()>*>(data));
  (*main)();
  return nullptr;
}
#endif

void Detach(size_t stack_bytes, std::function<void()> main) {
#ifndef _WIN32
  if (stack_bytes > 0) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    auto owned = std::make_unique<std::function<void()>>(std::move(main));
    pthread_t thread{};
    // On a smaller stack, what needs this one would end the process.
    int failure = pthread_attr_setstacksize(&attributes, stack_bytes);
    if (failure == 0) failure = pthread_create(&thread, &attributes, RunMain, owned.get());
    pthread_attr_destroy(&attributes);
    if (failure != 0) throw std::system_error(failure, std::generic_category());
    (void)owned.release();  // RunMain owns it now
    return;
  }
#endif
  (void)stack_bytes;  // Microsoft's regular expressions count their depth themselves
  std::thread(std::move(main)).detach();
}

NativeError Disposed() {
  return NativeError(ErrorCode::kDisposed, "The model was disposed of; load it again to use it.");
}

}  // namespace

std::shared_ptr<JobThread> JobThread::Start(std::shared_ptr<Mailbox> mailbox, size_t stack_bytes) {
  std::shared_ptr<JobThread> self(new JobThread(std::move(mailbox)));
  Registry& registry = Threads();
  {
    const std::lock_guard<std::mutex> lock(registry.mutex);
    registry.threads.insert(self);
  }
  const auto forget = [self] {
    Registry& registry = Threads();
    // Notified under the lock: after it is given up, the process may end at any time.
    const std::lock_guard<std::mutex> lock(registry.mutex);
    registry.threads.erase(self);
    registry.ended.notify_all();
  };
  try {
    Detach(stack_bytes, [self, forget] {
      self->Loop();
      forget();
    });
  } catch (const std::system_error& error) {
    forget();  // or the end of the process would wait for it
    throw thread_pool::NoThread(error);
  }
  return self;
}

void JobThread::Enqueue(std::unique_ptr<Job> job) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!is_stopping_) {
      queue_.push_back(std::move(job));
      wake_.notify_one();
      return;
    }
  }
  job->Refuse(Disposed());
  mailbox_->Post(std::move(job));
}

bool JobThread::HasWaiting() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return !queue_.empty();
}

void JobThread::SetCleanup(std::function<void()> cleanup) {
  const std::lock_guard<std::mutex> lock(mutex_);
  cleanup_ = std::move(cleanup);
}

void JobThread::Stop(std::unique_ptr<Job> closer) {
  const std::lock_guard<std::mutex> lock(mutex_);
  is_stopping_ = true;
  if (closer != nullptr) {
    if (has_ended_) {
      closer->Work();
      mailbox_->Post(std::move(closer));
    } else {
      closers_.push_back(std::move(closer));
    }
  }
  wake_.notify_one();
}

void JobThread::Loop() {
  for (;;) {
    std::unique_ptr<Job> job;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return is_stopping_ || !queue_.empty(); });
      if (is_stopping_) break;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    job->Work();
    mailbox_->Post(std::move(job));
  }
  std::deque<std::unique_ptr<Job>> refused;
  std::function<void()> cleanup;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    refused.swap(queue_);
    cleanup.swap(cleanup_);
  }
  for (std::unique_ptr<Job>& job : refused) {
    job->Refuse(Disposed());
    mailbox_->Post(std::move(job));
  }
  if (cleanup) cleanup();
  cleanup = nullptr;  // what it captured is freed on this thread
  const std::lock_guard<std::mutex> lock(mutex_);
  has_ended_ = true;
  for (std::unique_ptr<Job>& closer : closers_) {
    closer->Work();
    mailbox_->Post(std::move(closer));
  }
  closers_.clear();
}

void JobThread::StopAll(const Mailbox* mailbox) {
  Registry& registry = Threads();
  std::unique_lock<std::mutex> lock(registry.mutex);
  const auto belongs = [mailbox](const std::shared_ptr<JobThread>& thread) {
    return mailbox == nullptr || thread->mailbox_.get() == mailbox;
  };
  for (const std::shared_ptr<JobThread>& thread : registry.threads) {
    if (belongs(thread)) thread->Stop(nullptr);
  }
  registry.ended.wait(lock, [&] {
    for (const std::shared_ptr<JobThread>& thread : registry.threads) {
      if (belongs(thread)) return false;
    }
    return true;
  });
}

void JobThread::StopAllAtExit() {
  // Once a process; exit handlers run in reverse order, so before the destructors of what was loaded earlier.
  static const int registered = std::atexit([] { StopAll(nullptr); });
  (void)registered;
}

}  // namespace eta
