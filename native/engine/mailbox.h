#pragma once

#include <memory>

namespace eta {

// Something that a native thread hands back to the thread that asked for it.
class Delivery {
 public:
  virtual ~Delivery() = default;
  virtual void Deliver() = 0;  // on that thread
};

// The one way back from native threads. What the other end is, they do not know.
class Mailbox {
 public:
  virtual ~Mailbox() = default;
  // Any thread. Takes the delivery, and drops it where nobody listens any more.
  virtual void Post(std::unique_ptr<Delivery> delivery) = 0;
};

}  // namespace eta
