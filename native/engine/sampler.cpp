#include "engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace eta {

namespace {

// Tokens that are looked at together: small enough to search one again, large enough that most need no second look.
constexpr int32_t kBlock = 64;
// Of those between two sums that are kept.
constexpr int32_t kSumBlock = 1024;
// Accumulators side by side, which compilers make vector instructions of.
constexpr int32_t kWidth = 16;

struct Peak {
  float logit = -INFINITY;
  int32_t block = -1;  // the first that holds it; -1: nothing is above -infinity
  bool has_nan = false;
};

// The largest of [first, end). A NaN is never larger, and is told.
float LargestOf(const float* logits, int32_t first, int32_t end, bool* has_nan) {
  float largest[kWidth];
  int32_t nan[kWidth];
  for (int32_t i = 0; i < kWidth; i++) largest[i] = -INFINITY, nan[i] = 0;
  int32_t at = first;
  for (; at + kWidth <= end; at += kWidth) {
    for (int32_t i = 0; i < kWidth; i++) {
      const float logit = logits[at + i];
      largest[i] = logit > largest[i] ? logit : largest[i];
      nan[i] |= logit != logit ? 1 : 0;
    }
  }
  for (; at < end; at++) {
    if (logits[at] > largest[0]) largest[0] = logits[at];
    nan[0] |= std::isnan(logits[at]) ? 1 : 0;
  }
  float all = -INFINITY;
  for (int32_t i = 0; i < kWidth; i++) {
    all = std::max(all, largest[i]);
    if (nan[i] != 0) *has_nan = true;
  }
  return all;
}

Peak FindPeak(const float* logits, int32_t count) {
  constexpr int32_t kPeakBlock = 8 * kBlock;
  Peak peak;
  for (int32_t first = 0; first < count; first += kPeakBlock) {
    const float largest = LargestOf(logits, first, std::min(count, first + kPeakBlock), &peak.has_nan);
    if (largest > peak.logit) peak.logit = largest, peak.block = first;
  }
  return peak;
}

// Calls `take` with every token whose logit is above the cutoff, which `take` may raise. False where there is a NaN.
template <typename Take>
bool ForEachAbove(const float* logits, int32_t count, const float& cutoff, Take take) {
  bool has_nan = false;
  for (int32_t first = 0; first < count; first += kBlock) {
    const int32_t end = std::min(count, first + kBlock);
    if (!(LargestOf(logits, first, end, &has_nan) > cutoff)) continue;
    for (int32_t token = first; token < end; token++) {
      if (logits[token] > cutoff) take(token, logits[token]);
    }
  }
  return !has_nan;
}

}  // namespace

Sampler::Sampler(const SamplerSettings& settings, int32_t vocabulary_size)
    : settings_(settings), vocabulary_size_(vocabulary_size), generator_(settings.seed) {
  if (settings.temperature <= 0) return;
  most_ = vocabulary_size;
  if (settings.top_k > 0 && settings.top_k < vocabulary_size) {
    kept_ = Kept::kLargest;
    most_ = std::min(most_, size_t{2} * std::max(settings.top_k, kBlock));
  } else if (settings.top_p < 1) {
    kept_ = Kept::kNucleus;
  } else if (settings.min_p > 0) {
    kept_ = Kept::kLikely;
  }
  if (kept_ != Kept::kAll) candidates_.reserve(most_);
  if (kept_ == Kept::kAll || kept_ == Kept::kNucleus) block_sums_.resize((vocabulary_size - 1) / kSumBlock + 1);
}

// Descending, equal logits in vocabulary order, so that the outcome does not depend on the algorithm.
bool Sampler::Precedes(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

double Sampler::Uniform() {
  // 53 bits, in [0, 1).
  const uint64_t high = generator_() >> 5;
  const uint64_t low = generator_() >> 6;
  return static_cast<double>(high * 67108864 + low) / 9007199254740992.0;
}

double Sampler::Weight(float logit) const {
  return std::exp((static_cast<double>(logit) - largest_) / settings_.temperature);
}

double Sampler::SumWeights(const float* logits) {
  double sum = 0;
  int32_t token = 0;
  for (double& block_sum : block_sums_) {
    const int32_t end = std::min(vocabulary_size_, token + kSumBlock);
    for (; token < end; token++) sum += Weight(logits[token]);
    block_sum = sum;
  }
  return sum;
}

bool Sampler::GatherLargest(const float* logits) {
  const auto limit = static_cast<std::ptrdiff_t>(settings_.top_k);
  const auto keep_largest = [this, limit] {
    std::nth_element(candidates_.begin(), candidates_.begin() + (limit - 1), candidates_.end(), Precedes);
    candidates_.resize(limit);
  };
  float cutoff = -INFINITY;
  const bool are_numbers = ForEachAbove(logits, vocabulary_size_, cutoff, [&](int32_t token, float logit) {
    if (candidates_.size() == most_) {
      // An equal logit further back in the vocabulary stays out.
      keep_largest();
      cutoff = candidates_.back().logit;
      if (logit <= cutoff) return;
    }
    candidates_.push_back({token, logit, 0});
  });
  if (!are_numbers || candidates_.empty()) return false;
  if (candidates_.size() > static_cast<size_t>(limit)) keep_largest();
  std::sort(candidates_.begin(), candidates_.end(), Precedes);
  largest_ = candidates_.front().logit;
  if (!std::isfinite(largest_)) return false;
  for (Candidate& candidate : candidates_) candidate.weight = Weight(candidate.logit);
  return true;
}

void Sampler::GatherAbove(const float* logits, double least_weight) {
  const double least = largest_ + settings_.temperature * (std::log(least_weight) - 1e-6);
  const float cutoff = std::nextafter(static_cast<float>(least), -INFINITY);
  ForEachAbove(logits, vocabulary_size_, cutoff,
               [this](int32_t token, float logit) { candidates_.push_back({token, logit, Weight(logit)}); });
}

void Sampler::CutNucleus(double sum) {
  size_t count = 0;
  size_t sorted = 0;
  double reached = 0;
  // A part is sorted when the parts before it were not enough.
  for (size_t part = kBlock; count < candidates_.size() && reached < settings_.top_p; part *= 4) {
    const auto first = candidates_.begin() + static_cast<std::ptrdiff_t>(sorted);
    sorted = std::min(candidates_.size(), sorted + part);
    const auto end = candidates_.begin() + static_cast<std::ptrdiff_t>(sorted);
    if (end != candidates_.end()) std::nth_element(first, end, candidates_.end(), Precedes);
    std::sort(first, end, Precedes);
    while (count < sorted && reached < settings_.top_p) reached += candidates_[count++].weight / sum;
  }
  candidates_.resize(std::max<size_t>(count, 1));
}

// The most likely one weighs 1.
void Sampler::DropUnlikely() {
  const auto is_unlikely = [this](const Candidate& candidate) { return candidate.weight < settings_.min_p; };
  candidates_.erase(std::remove_if(candidates_.begin(), candidates_.end(), is_unlikely), candidates_.end());
}

// The sums of the blocks are those of a walk over all tokens, so the walk begins in the block where it would end.
Draw Sampler::DrawFromAll(const float* logits) {
  const double sum = SumWeights(logits);
  const double target = Uniform() * sum;
  // Rounding may leave the target at the last sum: then the last token with any weight is meant.
  const auto block = std::upper_bound(block_sums_.begin(), block_sums_.end(), target);
  auto end = vocabulary_size_;
  if (block == block_sums_.end()) {
    while (Weight(logits[end - 1]) <= 0) end--;
    return Draw{end - 1, static_cast<float>(std::log(Weight(logits[end - 1]) / sum))};
  }
  auto token = static_cast<int32_t>(block - block_sums_.begin()) * kSumBlock;
  double passed = block == block_sums_.begin() ? 0 : *(block - 1);
  double weight = 0;
  for (;; token++) {
    weight = Weight(logits[token]);
    passed += weight;
    if (weight > 0 && passed > target) break;
  }
  return Draw{token, static_cast<float>(std::log(weight / sum))};
}

Draw Sampler::DrawFromCandidates() {
  double sum = 0;
  for (const Candidate& candidate : candidates_) sum += candidate.weight;
  const double target = Uniform() * sum;
  double passed = 0;
  const Candidate* drawn = nullptr;  // as above
  for (const Candidate& candidate : candidates_) {
    if (candidate.weight <= 0) continue;
    drawn = &candidate;
    passed += candidate.weight;
    if (passed > target) break;
  }
  return Draw{drawn->token, static_cast<float>(std::log(drawn->weight / sum))};
}

Draw Sampler::Greedy(const float* logits, int32_t first) const {
  Draw draw;
  for (draw.token = first; logits[draw.token] != largest_;) draw.token++;  // the first of equal maxima
  if (!settings_.wants_log_probability) return draw;
  double sum = 0;
  for (int32_t token = 0; token < vocabulary_size_; token++) sum += std::exp(logits[token] - largest_);
  draw.log_probability = static_cast<float>(-std::log(sum));
  return draw;
}

Draw Sampler::Next(const float* logits) {
  candidates_.clear();
  if (kept_ == Kept::kLargest) {
    if (!GatherLargest(logits)) return Draw();
    double sum = 0;
    for (const Candidate& candidate : candidates_) sum += candidate.weight;
    if (settings_.top_p < 1) CutNucleus(sum);
  } else {
    const Peak peak = FindPeak(logits, vocabulary_size_);
    if (peak.has_nan || !std::isfinite(peak.logit)) return Draw();
    largest_ = peak.logit;
    if (settings_.temperature <= 0) return Greedy(logits, peak.block);
    if (kept_ == Kept::kAll) return DrawFromAll(logits);
    if (kept_ == Kept::kNucleus) {
      // What weighs less is not even together enough to be in the nucleus.
      const double sum = SumWeights(logits);
      GatherAbove(logits, (1.0 - settings_.top_p) * sum / (2.0 * vocabulary_size_));
      CutNucleus(sum);
    } else {
      GatherAbove(logits, settings_.min_p);
    }
  }
  if (settings_.min_p > 0) DropUnlikely();
  return DrawFromCandidates();
}

}  // namespace eta
