#include "engine/sampler.h"

#include <algorithm>
#include <cmath>

namespace eta {

Sampler::Sampler(const SamplerSettings& settings, int32_t vocabulary_size)
    : settings_(settings),
      vocabulary_size_(vocabulary_size),
      limit_(settings.top_k > 0 ? std::min(settings.top_k, vocabulary_size) : vocabulary_size),
      generator_(settings.seed) {
  if (settings.temperature > 0) candidates_.reserve(limit_);
}

double Sampler::Uniform() {
  // 53 bits, in [0, 1).
  const uint64_t high = generator_() >> 5;
  const uint64_t low = generator_() >> 6;
  return static_cast<double>(high * 67108864 + low) / 9007199254740992.0;
}

Draw Sampler::Greedy(const float* logits) const {
  Draw draw;
  for (int32_t token = 0; token < vocabulary_size_; token++) {
    // Strictly greater: the first of equal maxima stays, and a NaN never wins.
    if (logits[token] > (draw.token < 0 ? -INFINITY : logits[draw.token])) draw.token = token;
  }
  if (draw.token < 0 || !std::isfinite(logits[draw.token])) return Draw();
  double sum = 0;
  for (int32_t token = 0; token < vocabulary_size_; token++) {
    sum += std::exp(static_cast<double>(logits[token]) - logits[draw.token]);
  }
  if (!std::isfinite(sum)) return Draw();
  draw.log_probability = static_cast<float>(-std::log(sum));
  return draw;
}

bool Sampler::Gather(const float* logits) {
  // Descending, equal logits in vocabulary order, so that the outcome does not depend on the algorithm.
  const auto before = [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
  };
  const bool is_cut = limit_ < static_cast<size_t>(vocabulary_size_);
  candidates_.clear();
  for (int32_t token = 0; token < vocabulary_size_; token++) {
    const float logit = logits[token];
    if (std::isnan(logit)) return false;
    if (candidates_.size() < limit_) {
      candidates_.push_back({token, logit, 0});
      if (is_cut) std::push_heap(candidates_.begin(), candidates_.end(), before);
    } else if (logit > candidates_.front().logit) {
      // The front is the least of the heap; an equal logit behind it in the vocabulary stays out.
      std::pop_heap(candidates_.begin(), candidates_.end(), before);
      candidates_.back() = {token, logit, 0};
      std::push_heap(candidates_.begin(), candidates_.end(), before);
    }
  }
  if (is_cut || settings_.top_p < 1) std::sort(candidates_.begin(), candidates_.end(), before);
  return true;
}

bool Sampler::Weigh() {
  float max = -INFINITY;
  for (const Candidate& candidate : candidates_) max = std::max(max, candidate.logit);
  if (!std::isfinite(max)) return false;

  double sum = 0;
  for (Candidate& candidate : candidates_) {
    candidate.probability = std::exp((static_cast<double>(candidate.logit) - max) / settings_.temperature);
    sum += candidate.probability;
  }
  for (Candidate& candidate : candidates_) candidate.probability /= sum;

  if (settings_.top_p < 1) {
    double reached = 0;
    size_t count = 0;
    while (count < candidates_.size() && reached < settings_.top_p) reached += candidates_[count++].probability;
    candidates_.resize(std::max<size_t>(count, 1));
  }
  if (settings_.min_p > 0) {
    const double floor = settings_.min_p / sum;  // the most likely one has probability 1 / sum
    candidates_.erase(std::remove_if(candidates_.begin(), candidates_.end(),
                                     [floor](const Candidate& candidate) { return candidate.probability < floor; }),
                      candidates_.end());
  }
  return true;
}

Draw Sampler::Next(const float* logits) {
  if (settings_.temperature <= 0) return Greedy(logits);
  if (!Gather(logits) || !Weigh()) return Draw();

  double total = 0;
  for (const Candidate& candidate : candidates_) total += candidate.probability;
  const double target = Uniform() * total;
  double passed = 0;
  // Rounding may leave the target just above the last sum: then the last candidate with any probability is meant.
  const Candidate* drawn = nullptr;
  for (const Candidate& candidate : candidates_) {
    if (candidate.probability <= 0) continue;
    drawn = &candidate;
    passed += candidate.probability;
    if (passed > target) break;
  }
  return Draw{drawn->token, static_cast<float>(std::log(drawn->probability / total))};
}

}  // namespace eta
