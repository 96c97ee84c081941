#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace eta {

// NativeSamplerOptions, checked.
struct SamplerSettings {
  float temperature = 0;
  int32_t top_k = 0;
  float top_p = 1;
  float min_p = 0;
  uint32_t seed = 0;
};

struct Draw {
  int32_t token = -1;  // -1: the logits are not numbers
  float log_probability = 0;
};

// Draws tokens of one sequence, with a generator of its own: what runs beside it does not change its draws.
//
// Order: topK on the logits, softmax of logits / temperature over what is left, topP, minP, renormalise, draw.
class Sampler {
 public:
  Sampler(const SamplerSettings& settings, int32_t vocabulary_size);

  // logits: [vocabulary_size]. Takes no memory, so that a draw cannot fail half-way.
  Draw Next(const float* logits);

 private:
  struct Candidate {
    int32_t token;
    float logit;
    double probability;
  };
  Draw Greedy(const float* logits) const;
  // The candidates that topK leaves; descending where topK or topP is to cut. False where the logits are not numbers.
  bool Gather(const float* logits);
  // Their probabilities, and what topP and minP leave of them. False as above.
  bool Weigh();
  double Uniform();

  SamplerSettings settings_;
  int32_t vocabulary_size_;
  size_t limit_;            // of candidates
  std::mt19937 generator_;  // the same numbers on every platform, unlike the standard distributions
  std::vector<Candidate> candidates_;
};

}  // namespace eta
