#pragma once

#include <cstddef>
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
  bool wants_log_probability = false;
};

struct Draw {
  int32_t token = -1;         // -1: the logits are not numbers
  float log_probability = 0;  // where it is wanted
};

// Draws tokens of one sequence, with a generator of its own: what runs beside it does not change its draws.
//
// Order: topK on the logits, softmax of logits / temperature over what is left, topP, minP, renormalise, draw. Weights
// are exp((logit - largest) / temperature); only those that decide something are computed.
class Sampler {
 public:
  Sampler(const SamplerSettings& settings, int32_t vocabulary_size);

  // logits: [vocabulary_size]. Takes no memory, so that a draw cannot fail half-way.
  Draw Next(const float* logits);
  bool WantsLogProbability() const { return settings_.wants_log_probability; }

 private:
  struct Candidate {
    int32_t token;
    float logit;
    double weight;
  };
  // What the draw is from: everything, or candidates.
  enum class Kept { kAll, kLargest, kNucleus, kLikely };
  static bool Precedes(const Candidate& a, const Candidate& b);

  double Weight(float logit) const;
  // Fills block_sums_, and returns the last of them.
  double SumWeights(const float* logits);
  // Candidates: the topK largest, descending (false where the logits are not numbers); those that topP can reach, or
  // that minP leaves, in vocabulary order.
  bool GatherLargest(const float* logits);
  void GatherAbove(const float* logits, double least_weight);
  // Puts the smallest set that reaches topP in front, descending, and drops the rest. `sum`: of all weights.
  void CutNucleus(double sum);
  void DropUnlikely();
  // `first`: no token before it is the most likely one.
  Draw Greedy(const float* logits, int32_t first) const;
  Draw DrawFromAll(const float* logits);
  Draw DrawFromCandidates();
  double Uniform();

  SamplerSettings settings_;
  int32_t vocabulary_size_;
  Kept kept_ = Kept::kAll;
  size_t most_ = 0;         // candidates at once
  double largest_ = 0;      // of these logits
  std::mt19937 generator_;  // the same numbers on every platform, unlike the standard distributions
  std::vector<Candidate> candidates_;
  std::vector<double> block_sums_;  // weights up to the end of each block
};

}  // namespace eta
