"""The same statistics from SciPy and statsmodels: a list of {"what", ...} on standard input, a list of results on standard
output, the versions first."""

import json
import sys

import numpy as np
import scipy
import scipy.stats as st
import statsmodels
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower, TTestPower
from statsmodels.stats.proportion import proportion_confint, proportion_effectsize


def wilcoxon(case):
    x = np.array(case["x"])
    method = "exact" if case["exact"] else "approx"
    if case["exact"] and (len(set(abs(x))) < len(x) or (x == 0).any()):
        # SciPy's own exact tables know neither ties nor zeros; its permutations do.
        method = st.PermutationMethod(n_resamples=np.inf)
    return st.wilcoxon(x, zero_method="pratt", correction=False, method=method).pvalue


def mann_whitney(case):
    method = "exact" if case["exact"] else "asymptotic"
    result = st.mannwhitneyu(case["y"], case["x"], alternative="two-sided", method=method)
    return [result.statistic, result.pvalue]


def bca(case):
    x = np.array(case["x"])
    statistic = {"mean": np.mean, "median": np.median}[case["average"]]
    interval = st.bootstrap((x,), statistic, n_resamples=20_000, method="BCa", rng=np.random.default_rng(7)).confidence_interval
    return [interval.low, interval.high]


def tost(case):
    x = np.array(case["x"])
    low = st.ttest_1samp(x, -case["margin"], alternative="greater").pvalue
    high = st.ttest_1samp(x, case["margin"], alternative="less").pvalue
    return max(low, high)


CASES = {
    "normal_quantile": lambda c: list(st.norm.ppf(c["p"])),
    "student_quantile": lambda c: list(st.t.ppf(c["p"], c["degrees"])),
    "student_cdf": lambda c: list(st.t.cdf(c["t"], c["degrees"])),
    "binomial_cdf": lambda c: st.binom.cdf(c["k"], c["n"], c["p"]),
    "wilcoxon": wilcoxon,
    "chi_square_quantile": lambda c: list(st.chi2.ppf(c["p"], c["degrees"])),
    "one-sided mcnemar": lambda c: st.binomtest(c["k"], c["n"], alternative="greater").pvalue,
    "mcnemar": lambda c: mcnemar([[0, c["k"]], [c["n"] - c["k"], 0]], exact=True).pvalue,
    "sign": lambda c: st.binomtest(c["k"], c["n"]).pvalue,
    "holm": lambda c: list(multipletests(c["p"], method="holm")[1]),
    "wilson": lambda c: proportion_confint(c["k"], c["n"], method="wilson"),
    "clopper-pearson": lambda c: proportion_confint(c["k"], c["n"], alpha=c.get("alpha", 0.05), method="beta"),
    "mann-whitney": mann_whitney,
    "bca": bca,
    "tost": tost,
    "t-test": lambda c: st.ttest_1samp(c["x"], 0).pvalue,
    "welch": lambda c: st.ttest_ind(c["x"], c["y"], equal_var=False).pvalue,
    "kendall": lambda c: st.kendalltau(c["x"], c["y"]).statistic,
    "power": lambda c: TTestPower().solve_power(effect_size=c["effect"], alpha=0.05, power=c["power"]),
    "auc": lambda c: st.mannwhitneyu(c["x"], c["y"]).statistic / len(c["x"]) / len(c["y"]),
    "rate-power": lambda c: NormalIndPower().solve_power(proportion_effectsize(c["second"], c["first"]), power=0.8, alpha=0.05),
    "paired-power": lambda c: paired_power(c),
    "ranks": lambda c: list(st.rankdata(c["x"])),
}

def paired_power(case):
    """Rejections of the exact McNemar test, over the discordant pairs of so many pictures."""
    n, discordant, more = int(case["n"]), case["discordant"], (case["discordant"] + case["difference"]) / 2
    power = 0.0
    for m in range(n + 1):
        weight = st.binom.pmf(m, n, discordant)
        if weight < 1e-12:
            continue
        k = np.arange(m + 1)
        p = np.minimum(1, 2 * st.binom.cdf(np.minimum(k, m - k), m, 0.5))
        power += weight * st.binom.pmf(k[p <= 0.05], m, more / discordant).sum()
    return power


results = [CASES[case["what"]](case) for case in json.load(sys.stdin)]
print(json.dumps({"versions": f"SciPy {scipy.__version__}, statsmodels {statsmodels.__version__}", "results": results}, default=float))
