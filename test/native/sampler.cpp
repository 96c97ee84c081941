// Draws of the sampler against the plainest way to draw: everything sorted, every probability computed. Prints how many
// draws were compared and how many differ; with "time" what a draw takes, in microseconds of processor time.
#include "engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace {

using eta::Draw;
using eta::Sampler;
using eta::SamplerSettings;

struct Token {
  int32_t id;
  float logit;
  double probability;
};

// What the sampler promises, word for word.
class Reference {
 public:
  Reference(const SamplerSettings& settings, int32_t size) : settings_(settings), size_(size), random_(settings.seed) {}

  Draw Next(const float* logits) {
    std::vector<Token> tokens;
    float largest = -INFINITY;
    for (int32_t id = 0; id < size_; id++) {
      if (std::isnan(logits[id])) return Draw();
      largest = std::max(largest, logits[id]);
      tokens.push_back({id, logits[id], 0});
    }
    if (!std::isfinite(largest)) return Draw();
    const bool is_greedy = settings_.temperature <= 0;
    const bool is_cut = !is_greedy && settings_.top_k > 0 && settings_.top_k < size_;
    if (is_greedy || is_cut || settings_.top_p < 1) {
      std::stable_sort(tokens.begin(), tokens.end(), [](const Token& a, const Token& b) { return a.logit > b.logit; });
    }
    if (is_cut) tokens.resize(settings_.top_k);
    const double temperature = is_greedy ? 1 : settings_.temperature;
    double sum = 0;
    for (Token& token : tokens) sum += std::exp((static_cast<double>(token.logit) - largest) / temperature);
    for (Token& token : tokens) {
      token.probability = std::exp((static_cast<double>(token.logit) - largest) / temperature) / sum;
    }
    if (is_greedy) return Draw{tokens[0].id, static_cast<float>(std::log(tokens[0].probability))};
    double reached = 0;
    size_t count = 0;
    while (count < tokens.size() && reached < settings_.top_p) reached += tokens[count++].probability;
    if (settings_.top_p < 1) tokens.resize(std::max<size_t>(count, 1));
    std::vector<Token> kept;
    for (const Token& token : tokens) {
      if (token.probability >= settings_.min_p / sum) kept.push_back(token);
    }
    double total = 0;
    for (const Token& token : kept) total += token.probability;
    const double target = Uniform() * total;
    double passed = 0;
    const Token* drawn = nullptr;
    for (const Token& token : kept) {
      if (token.probability <= 0) continue;
      drawn = &token;
      passed += token.probability;
      if (passed > target) break;
    }
    return Draw{drawn->id, static_cast<float>(std::log(drawn->probability / total))};
  }

 private:
  double Uniform() {
    const uint64_t high = random_() >> 5;
    const uint64_t low = random_() >> 6;
    return static_cast<double>(high * 67108864 + low) / 9007199254740992.0;
  }

  SamplerSettings settings_;
  int32_t size_;
  std::mt19937 random_;
};

enum Shape { kNormal, kWithTies, kAllEqual, kMasked, kPeaked, kOneLeft, kWithNan, kWithInfinity, kNothingLeft, kShapeCount };
const char* const kNames[] = {"normal", "with ties",  "all equal",     "masked",      "peaked",
                              "one left", "with a NaN", "with infinity", "nothing left"};

std::vector<float> Logits(Shape shape, int32_t size, std::mt19937& random) {
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> logits(size);
  for (float& logit : logits) {
    logit = normal(random);
    if (shape == kWithTies) logit = std::round(logit);
    if (shape == kAllEqual) logit = -0.5F;
    if (shape == kMasked && random() % 3 == 0) logit = -INFINITY;
    if (shape == kPeaked) logit *= 10;
    if (shape >= kOneLeft && shape != kWithNan && shape != kWithInfinity) logit = -INFINITY;
  }
  float& one = logits[random() % size];
  if (shape == kOneLeft) one = 1;
  if (shape == kWithNan) one = NAN;
  if (shape == kWithInfinity) one = INFINITY;
  return logits;
}

struct Counts {
  long draws = 0;
  long failures = 0;
  long differences = 0;
};

void Compare(const SamplerSettings& settings, Shape shape, int32_t size, std::mt19937& random, Counts& counts) {
  const std::vector<float> logits = Logits(shape, size, random);
  SamplerSettings silent = settings;
  silent.wants_log_probability = false;
  Reference reference(settings, size);
  Sampler sampler(settings, size);
  Sampler other(silent, size);
  for (int draw = 0; draw < 3; draw++) {
    const Draw expected = reference.Next(logits.data());
    const Draw received = sampler.Next(logits.data());
    counts.draws++;
    if (expected.token < 0) counts.failures++;
    if (received.token == expected.token && other.Next(logits.data()).token == expected.token &&
        (expected.token < 0 || std::fabs(received.log_probability - expected.log_probability) < 1e-6F)) {
      continue;
    }
    counts.differences++;
    std::fprintf(stderr, "%s of %d, temperature %g, topK %d, topP %g, minP %g: %d (%g) for %d (%g)\n", kNames[shape], size,
                 settings.temperature, settings.top_k, settings.top_p, settings.min_p, received.token,
                 received.log_probability, expected.token, expected.log_probability);
  }
}

void CompareAll() {
  std::mt19937 random(5);
  for (int shape = 0; shape < kShapeCount; shape++) {
    Counts counts;
    for (const int32_t size : {1, 2, 15, 17, 64, 65, 500, 1023, 1025, 3000}) {
      for (const float temperature : {0.0F, 0.1F, 0.7F, 1.0F, 1.5F, 100.0F}) {
        for (const int32_t top_k : {0, 1, 2, 40, 64, 600, 100000}) {
          for (const float top_p : {1.0F, 0.99F, 0.9F, 0.5F, 1e-9F}) {
            for (const float min_p : {0.0F, 0.05F, 1.0F}) {
              if (size > 1000 && random() % 8 != 0) continue;
              SamplerSettings settings;
              settings.temperature = temperature;
              settings.top_k = top_k;
              settings.top_p = top_p;
              settings.min_p = min_p;
              settings.seed = static_cast<uint32_t>(random());
              settings.wants_log_probability = true;
              Compare(settings, static_cast<Shape>(shape), size, random, counts);
            }
          }
        }
      }
    }
    std::printf("%s\t%ld\t%ld\t%ld\n", kNames[shape], counts.draws, counts.failures, counts.differences);
  }
}

void Time(const char* name, SamplerSettings settings, const std::vector<float>& logits) {
  settings.seed = 1;
  Sampler sampler(settings, static_cast<int32_t>(logits.size()));
  double best = 1e18;
  for (int round = 0; round < 15; round++) {
    const std::clock_t start = std::clock();
    for (int draw = 0; draw < 8; draw++) sampler.Next(logits.data());
    best = std::min(best, static_cast<double>(std::clock() - start) * 1e6 / CLOCKS_PER_SEC / 8);
  }
  std::printf("%s\t%zu\t%.1f\n", name, logits.size(), best);
}

void TimeAll() {
  std::mt19937 random(5);
  for (const int32_t size : {32000, 152000}) {
    std::vector<float> logits = Logits(kNormal, size, random);
    for (int i = 0; i < 20; i++) logits[random() % size] = 20.0F - static_cast<float>(i);
    Time("greedy", {}, logits);
    Time("greedy, with log probability", {0, 0, 1, 0, 0, true}, logits);
    Time("temperature 1.5, topK 5", {1.5F, 5, 1, 0, 0, false}, logits);
    Time("temperature 1, topK 40, topP 0.95", {1, 40, 0.95F, 0, 0, false}, logits);
    Time("temperature 0.7, minP 0.05", {0.7F, 0, 1, 0.05F, 0, false}, logits);
    Time("temperature 0.7, topP 0.9", {0.7F, 0, 0.9F, 0, 0, false}, logits);
    Time("temperature 0.7", {0.7F, 0, 1, 0, 0, false}, logits);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1 && std::strcmp(arguments[1], "time") == 0) {
    TimeAll();
  } else {
    CompareAll();
  }
  return 0;
}
