#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "js/environment.h"

namespace eta {

// A callback of JavaScript's that a native thread calls. It goes with its listener, behind everything it was told.
class Listener {
 public:
  using Convert = std::function<Napi::Value(Napi::Env)>;

  // JS thread.
  Listener(Environment& environment, const Napi::Function& callback)
      : environment_(environment), mailbox_(environment.GetMailbox()), callback_(environment.AddCallback(callback)) {}
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  // Any thread.
  ~Listener() { mailbox_->Post(std::make_unique<Ending>(environment_, callback_)); }

  // Any thread; `convert` makes the value on the JS thread.
  void Tell(Convert convert) { mailbox_->Post(std::make_unique<Telling>(environment_, callback_, std::move(convert))); }

 private:
  class Telling final : public Delivery {
   public:
    Telling(Environment& environment, uint64_t callback, Convert convert)
        : environment_(environment), callback_(callback), convert_(std::move(convert)) {}
    void Deliver() override { environment_.Call(callback_, convert_(environment_.Env())); }

   private:
    Environment& environment_;
    uint64_t callback_;
    Convert convert_;
  };

  class Ending final : public Delivery {
   public:
    Ending(Environment& environment, uint64_t callback) : environment_(environment), callback_(callback) {}
    void Deliver() override { environment_.RemoveCallback(callback_); }

   private:
    Environment& environment_;
    uint64_t callback_;
  };

  Environment& environment_;
  std::shared_ptr<Mailbox> mailbox_;
  uint64_t callback_;
};

}  // namespace eta
