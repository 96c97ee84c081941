// Steps of made-up machines through ThreadCount, whose own clock is not asked. For each: how long the steps took against
// the best number that somebody could have chosen for all of them.
#include "engine/thread_count.h"

#include <cstdio>
#include <functional>
#include <random>
#include <type_traits>

static_assert(!std::is_copy_constructible_v<eta::ThreadCount> && !std::is_move_constructible_v<eta::ThreadCount>,
              "it points into itself");
static_assert(!std::is_copy_assignable_v<eta::ThreadCount> && !std::is_move_assignable_v<eta::ThreadCount>,
              "it points into itself");

namespace {

// Milliseconds of a step with so many threads.
using Machine = std::function<double(int step, int threads)>;

void Run(const char* name, int most, int steps, const Machine& machine) {
  std::mt19937 random(7);
  std::normal_distribution<double> noise(1, 0.08);
  eta::ThreadCount threads(most, false);
  double taken = 0;
  for (int step = 0; step < steps; step++) {
    const int count = threads.Next(1);
    const double ms = machine(step, count) * std::max(0.5, noise(random));
    threads.Took(ms);
    taken += ms;
  }
  double best = 1e18;
  for (int count = 1; count <= most; count++) {
    double all = 0;
    for (int step = 0; step < steps; step++) all += machine(step, count);
    best = std::min(best, all);
  }
  std::printf("%s\t%d\t%.4f\t%d\n", name, steps, taken / best, threads.Last());
}

}  // namespace

int main() {
  for (const int steps : {50, 300, 3000}) {
    Run("a large model on two cores", 2, steps, [](int, int n) { return n == 1 ? 2.0 : 1.05; });
    Run("a small model on two cores", 2, steps, [](int, int n) { return n == 1 ? 1.0 : 1.2; });
    Run("beside a busy core of two", 2, steps, [](int, int n) { return n == 1 ? 1.0 : 1.8; });
    Run("a large model on eight cores", 8, steps, [](int, int n) { return 0.05 + 4.0 / n; });
    Run("beside a busy core of eight", 8, steps, [](int, int n) { return n == 8 ? 0.9 : 0.05 + 4.0 / n; });
    Run("a small model on eight cores", 8, steps, [](int, int n) { return 0.5 + 0.2 * n; });
    Run("a small model on sixty-four cores", 64, steps, [](int, int n) { return 0.5 + 0.2 * n; });
    Run("a neighbour that comes and goes", 2, steps, [](int step, int n) {
      const bool is_busy = (step / 150) % 2 == 1;
      return n == 1 ? 1.0 : is_busy ? 1.8 : 0.6;
    });
  }
}
