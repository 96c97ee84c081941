#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace eta {

// How many threads a step gets. Nobody can tell beforehand: a small model is fastest with one, a large one with all,
// and beside other work on the same cores with fewer. So it is measured while it runs. A step with another number is
// compared with the step of as many rows before it; three such pairs decide, or the first, when it is clear. Fewer are
// tried at first, and again as soon as steps get slower; more are tried now and then, because nothing shows that a core
// has become free.
class ThreadCount {
 public:
  // `is_fixed`: always `most`.
  ThreadCount(int32_t most, bool is_fixed) {
    counts_.push_back(most);
    while (!is_fixed && counts_.back() > 1) {
      const int32_t count = counts_.back();
      counts_.push_back(count - (count < 10 ? 1 : count / 4));
    }
    for (Rows& rows : rows_) rows.until_down = kFirstTrial;
  }
  // It points into itself.
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;
  ~ThreadCount() = default;

  // For the next step, of so many rows.
  int32_t Next(int32_t row_count) {
    current_ = nullptr;
    is_trial_ = false;
    if (row_count >= kManyRows || counts_.size() == 1) return last_ = counts_.front();  // long steps are never trials
    Rows& rows = Of(row_count);
    current_ = &rows;
    row_count_ = row_count;
    is_trial_ = rows.trial != rows.best && rows.before_ms > 0 && rows.before_row_count == row_count;
    return last_ = counts_[is_trial_ ? rows.trial : rows.best];
  }

  // How long that step took.
  void Took(double ms) {
    if (current_ == nullptr || ms <= 0) return;
    if (is_trial_) {
      Compare(*current_, ms / current_->before_ms);
      current_->before_ms = 0;  // the next pair begins with a step of the best
    } else {
      Watch(*current_, ms);
    }
  }

  // Of the last step.
  int32_t Last() const { return last_; }

 private:
  static constexpr int32_t kManyRows = 32;
  static constexpr int32_t kFirstTrial = 2;
  static constexpr int32_t kSoonestTrial = 4;
  static constexpr int32_t kRarestTrial = 64;
  static constexpr size_t kPairs = 3;
  static constexpr double kBetter = 0.95;  // a ratio that counts as faster
  static constexpr double kClearlyBetter = 0.85;
  static constexpr double kClearlyWorse = 1.25;
  static constexpr double kSlower = 1.3;  // than usual: something has changed

  // Steps of about as many rows.
  struct Rows {
    bool is_known = false;
    size_t best = 0;   // places in counts_
    size_t trial = 0;  // the same: no trial is on
    std::array<double, kPairs> ratios{};
    size_t ratio_count = 0;
    int32_t before_row_count = 0;
    double before_ms = 0;  // of the last step of the best; 0 = there is none to compare with
    double usual_ms = 0;   // a running mean
    int32_t slow_count = 0;
    // Steps until the next trial, and how many there are between two of them.
    int32_t until_down = 0;
    int32_t until_up = kSoonestTrial;
    int32_t up_interval = kSoonestTrial;
    int32_t down_interval = kSoonestTrial;
  };

  // 1, 2 to 3, 4 to 7, 8 to 15, 16 to 31. What is not known yet begins where its neighbour stands.
  Rows& Of(int32_t row_count) {
    size_t place = 0;
    while (row_count >> (place + 1) > 0) place++;
    Rows& rows = rows_[place];
    if (!rows.is_known) {
      rows.is_known = true;
      rows.best = rows.trial = last_best_;
    }
    return rows;
  }

  void Watch(Rows& rows, double ms) {
    const bool is_comparable = rows.before_row_count == row_count_ && rows.usual_ms > 0;
    const bool is_slow = is_comparable && ms > kSlower * rows.usual_ms;
    if (is_slow) {
      if (++rows.slow_count == 2) Disturbed(rows, ms);
    } else {
      rows.slow_count = 0;
      rows.usual_ms = is_comparable ? 0.9 * rows.usual_ms + 0.1 * ms : ms;
    }
    rows.before_row_count = row_count_;
    rows.before_ms = is_slow ? 0 : ms;  // one slow step would make any other look fast
    if (rows.trial != rows.best) return;
    if (rows.best + 1 < counts_.size() && --rows.until_down <= 0) return Begin(rows, rows.best + 1);
    if (rows.best > 0 && --rows.until_up <= 0) Begin(rows, rows.best - 1);
  }

  static void Disturbed(Rows& rows, double ms) {
    rows.slow_count = 0;
    rows.usual_ms = ms;
    rows.down_interval = kSoonestTrial;
    rows.until_down = 0;
  }

  static void Begin(Rows& rows, size_t place) {
    rows.trial = place;
    rows.ratio_count = 0;
  }

  void Compare(Rows& rows, double ratio) {
    rows.ratios[rows.ratio_count++] = ratio;
    if (rows.ratio_count == 1 && ratio > kClearlyWorse) return Reject(rows);
    if (rows.ratio_count == 1 && ratio < kClearlyBetter) return Accept(rows);
    if (rows.ratio_count < kPairs) return;
    std::sort(rows.ratios.begin(), rows.ratios.end());
    if (rows.ratios[kPairs / 2] > kBetter) return Reject(rows);
    Accept(rows);
  }

  // And the next trial goes on in the same direction at once.
  void Accept(Rows& rows) {
    const bool was_down = rows.trial > rows.best;
    rows.best = last_best_ = rows.trial;
    rows.usual_ms = 0;
    rows.down_interval = rows.up_interval = kSoonestTrial;
    rows.until_down = was_down ? 1 : kSoonestTrial;
    rows.until_up = was_down ? kSoonestTrial : 1;
  }

  static void Reject(Rows& rows) {
    const bool was_down = rows.trial > rows.best;
    rows.trial = rows.best;
    int32_t& interval = was_down ? rows.down_interval : rows.up_interval;
    interval = std::min(2 * interval, kRarestTrial);
    (was_down ? rows.until_down : rows.until_up) = was_down && interval == kRarestTrial ? 8 * interval : interval;
  }

  std::vector<int32_t> counts_;  // from the most down to 1
  std::array<Rows, 5> rows_;
  size_t last_best_ = 0;
  Rows* current_ = nullptr;
  int32_t row_count_ = 0;
  bool is_trial_ = false;
  int32_t last_ = 0;
};

}  // namespace eta
