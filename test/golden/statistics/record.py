"""Figures of scipy, statsmodels and numpy, for test/statistics. Run: python test/golden/statistics/record.py"""

import json
import math
from pathlib import Path

import numpy
import scipy
import statsmodels
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

random = numpy.random.default_rng(20260101)
Z = stats.norm.ppf(0.975)


def wilson(hits, count):
    low, high = proportion_confint(hits, count, method="wilson")
    return {"hits": hits, "count": count, "low": low, "high": high}


def test_of(first_only, other_only):
    pairs = [[0, first_only], [other_only, 0]]
    exact = mcnemar(pairs, exact=True)
    corrected = mcnemar(pairs, exact=False, correction=True)
    count = first_only + other_only
    seen = stats.binom.pmf(min(first_only, other_only), count, 0.5)
    tail = stats.binom.cdf(min(first_only, other_only), count, 0.5)
    # Fagerland, Lydersen, Laake 2013: at equal counts the mid-p is 1 - pmf / 2
    mid = 1 - seen / 2 if first_only == other_only else 2 * tail - seen
    return {
        "firstOnly": first_only,
        "otherOnly": other_only,
        "exact": float(exact.pvalue),
        "midP": float(mid),
        "chiSquare": float(corrected.statistic),
        "chiSquareP": float(corrected.pvalue),
    }


def difference(both, first_only, other_only, neither):
    """Newcombe 1998, method 10, from statsmodels' Wilson limits and the phi of the 2 x 2 table."""
    count = both + first_only + other_only + neither
    first = (both + first_only) / count
    other = (both + other_only) / count
    first_low, first_high = proportion_confint(both + first_only, count, method="wilson")
    other_low, other_high = proportion_confint(both + other_only, count, method="wilson")
    product = both * neither - first_only * other_only
    if product > count / 2:
        product -= count / 2
    elif product >= 0:
        product = 0
    sides = numpy.array([[both, first_only], [other_only, neither]])
    margins = float(numpy.prod(sides.sum(0), dtype=float) * numpy.prod(sides.sum(1), dtype=float))
    phi = product / math.sqrt(margins) if margins > 0 else 0
    below, above = first - first_low, other_high - other
    lower = math.sqrt(below**2 - 2 * phi * below * above + above**2)
    below, above = other - other_low, first_high - first
    upper = math.sqrt(below**2 - 2 * phi * below * above + above**2)
    return {
        "both": both,
        "firstOnly": first_only,
        "otherOnly": other_only,
        "neither": neither,
        "value": first - other,
        "low": max(-1, first - other - lower),
        "high": min(1, first - other + upper),
    }


def area(positive, negative):
    m, n = len(positive), len(negative)
    value = stats.mannwhitneyu(positive, negative).statistic / (m * n)
    k = (m + n) / 2 - 1

    def excess(t, sign):
        variance = t * (1 - t) * (1 + k * (1 - t) / (2 - t) + k * t / (1 + t)) / (m * n)
        return sign * (value - t) - Z * math.sqrt(variance)

    low = optimize.brentq(excess, 1e-12, value - 1e-12, args=(1,), xtol=1e-13)
    high = 1 if value == 1 else optimize.brentq(excess, value + 1e-12, 1 - 1e-12, args=(-1,), xtol=1e-13)
    drawn = stats.bootstrap(
        (positive, negative),
        lambda one, other: stats.mannwhitneyu(one, other).statistic / (len(one) * len(other)),
        n_resamples=2000,
        method="percentile",
        vectorized=False,
        rng=numpy.random.default_rng(1),
    ).confidence_interval
    return {
        "positive": list(positive),
        "negative": list(negative),
        "value": float(value),
        "low": float(low),
        "high": float(high),
        "bootstrapLow": float(drawn.low),
        "bootstrapHigh": float(drawn.high),
    }


def agreement(first, other):
    words = sorted(set(first) | set(other))
    table = [[sum(a == x and b == y for a, b in zip(first, other)) for y in words] for x in words]
    return {"first": first, "other": other, "kappa": float(cohens_kappa(table).kappa)}


def quantiles(values):
    shares = [0, 0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975, 1]
    return {"values": values, "shares": shares, "quantiles": [float(q) for q in numpy.quantile(values, shares)]}


def rounded(count, centre):
    return [float(v) for v in numpy.round(random.normal(centre, 1, count), 1)]  # with ties


verdicts = ["safe", "unsafe", "unjudged"]
golden = {
    "command": "python test/golden/statistics/record.py",
    "versions": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__, "numpy": numpy.__version__},
    "wilson": [wilson(*pair) for pair in [(0, 1), (1, 1), (0, 10), (10, 10), (3, 10), (90, 100), (122, 265), (45, 265), (36, 36), (1, 100000)]],
    "mcnemar": [test_of(*pair) for pair in [(0, 1), (1, 0), (5, 5), (0, 6), (1, 7), (12, 3), (77, 2), (90, 60), (1000, 900), (3, 1500), (700, 2000)]],
    "pairedDifference": [
        difference(*table)
        for table in [(36, 12, 2, 0), (20, 12, 2, 16), (0, 10, 0, 90), (0, 0, 0, 20), (20, 0, 0, 0), (0, 20, 0, 0), (40, 82, 5, 138), (1, 1, 1, 1), (10, 5, 5, 10)]
    ],
    "auc": [area(rounded(m, shift), rounded(n, 0)) for m, n, shift in [(30, 40, 1), (12, 9, 0.2), (80, 120, 2)]]
    + [area([2.0, 3.0, 4.0, 5.0], [0.0, 1.0, 1.5])],
    "kappa": [
        agreement([verdicts[i] for i in random.choice(3, 60, p=p)], [verdicts[i] for i in random.choice(3, 60, p=p)])
        for p in [[0.5, 0.4, 0.1], [0.9, 0.05, 0.05]]
    ]
    + [agreement(["safe"] * 20 + ["unsafe"] * 20, ["safe"] * 15 + ["unsafe"] * 25)],
    "quantiles": [quantiles(rounded(n, 0)) for n in [1, 2, 7, 10, 100]],
}
path = Path(__file__).parent / "golden.json"
path.write_text(json.dumps(golden, indent=1) + "\n")
print(path)
