// Faults that a sanitizer must see, made when the library is loaded: a run that is silent about them sees nothing.
#include <climits>
#include <cstdlib>
#include <thread>

namespace {

volatile int shared_number = 0;

void Count() {
  for (int i = 0; i < 1000; i++) shared_number = shared_number + 1;
}

int Overflow(int number) { return number + 1; }

struct Planted {
  Planted() {
    std::thread one(Count);
    std::thread other(Count);
    one.join();
    other.join();
    volatile int number = Overflow(INT_MAX);
    (void)number;
    int* freed = static_cast<int*>(std::malloc(64 * sizeof(int)));
    std::free(freed);
    volatile int* read = freed;
    shared_number = read[number == 0 ? 1 : 2];
  }
};

const Planted planted;

}  // namespace
