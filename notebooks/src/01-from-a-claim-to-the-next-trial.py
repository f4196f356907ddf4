# %% [markdown]
# # From a claim to the next trial
#
# A randomised crossover trial of low-dose naltrexone (LDN) for fibromyalgia printed two means and a
# p-value. This page walks from that p to the power of a trial that could come next, one room of the
# package after the other:
#
# 1. what the printed number can mean,
# 2. what the figures beside it imply,
# 3. the verdict,
# 4. trials that print all the figures,
# 5. what a mixed model says on them,
# 6. what they mean for the next trial,
# 7. how to bring a study of your own.
#
# It checks arithmetic. It is not medical advice.

# %%
import io

import pandas as pd
from IPython.display import Image

import ldnstats as ls
from ldnstats import figures, forensics, planning

pd.set_option("display.precision", 4)
study = ls.load_studies()["younger2013"]
print(study.title)

# %% [markdown]
# ## 1. A printed number is a set of values
#
# Each claim keeps its source, the standing of that source, and its numbers as text. A p that is
# printed with three decimals stands for every p that rounds to it.

# %%
claim = study.claim("pain-p")
printed = claim.number("p")
print(f"{claim.says} ({claim.source.bib}, {claim.standing}, {claim.locator})")
print(f"{printed} stands for {printed.interval()}")
print(f"had it been cut off: {printed.interval('truncate')}")

# %% [markdown]
# ## 2. What the figures beside it imply
#
# The abstract prints the two means. Another party's extraction of the paper gives the figures
# behind the plus-minus signs and says that they are confidence limits. If the p is that of a paired
# t-test, it fixes the standard deviation of the within-person differences; and with the spread
# under each condition, the correlation of the two conditions. What the figures after the signs
# *are* decides what it must be, so every reading is tried.

# %%
means, half_widths = study.claim("pain-means"), study.claim("pain-half-widths")
(n,) = claim.people()
print(f"{half_widths.says}: {half_widths.printed()} ({half_widths.standing})")

implied = forensics.implied_correlation(
    mean=means.numbers("mean"), spread=half_widths.numbers("spread"), n=n, p=printed
)
implied

# %% [markdown]
# No source prints that correlation. Read as standard deviations the figures would need an
# impossible one; read as confidence limits, an ordinary one.
#
# ## 3. The verdict
#
# `check` puts such arithmetic together. *Compatible* is less than *reproduced*: the p follows only
# if something that nobody printed has a certain value, and that value is named.

# %%
verdict = ls.check(claim)
print(verdict)

# %% [markdown]
# ## 4. Trials that print all the figures
#
# `reconstruct` draws raw trials, each of which prints every figure it was given: means, limits, p
# and the percentages of responders. There are many, because the printed figures leave much open.
# What they leave open is the answer; what the assumptions fix is listed with them.

# %%
ensemble = ls.reconstruct(study, draws=1000, seed=1)
ensemble.prints()

# %%
for line in ensemble.assumptions:
    print("-", line)
print("fixed by assumptions alone:", ", ".join(ensemble.prior_driven))

# %% [markdown]
# One of these people, to see the shape of the data. They are simulated, and their names say so.

# %%
ensemble.trials.head(4)

# %% [markdown]
# ## 5. A mixed model on the rebuilt trials
#
# The model that a statistician might have planned: treatment, period and sequence as fixed effects,
# a random intercept for each person, REML, and degrees of freedom after Kenward and Roger. First on
# one rebuilt trial.

# %%
one = ensemble.trials.query("draw == 0")
fit = ls.fit("outcome ~ treatment + C(period) + sequence + (1 | subject)", one)
fit.tidy()

# %%
print(fit.contrast({"LDN": 1, "placebo": -1}, over="treatment"))

# %% [markdown]
# Then on all of them, in one call, beside the paired t-test. The paired t prints the same p on every
# member, because it was asked to. The mixed model adjusts for the period, and no source prints how
# the periods differed: its p is as wide as the assumptions about that leave it.

# %%
analyses = ("paired t", "random intercept, Kenward-Roger", "wilcoxon")
tests = {name: ls.analyse(ensemble.stack, name) for name in analyses}
pd.DataFrame(
    {
        name: pd.Series(test.p_value).quantile([0, 0.05, 0.5, 0.95, 1])
        for name, test in tests.items()
    }
).T

# %% [markdown]
# A claim never enters its own check. So rebuild the trials *without* the p, let the correlation be
# anything, and see which values of it print the p.

# %%
free = ls.reconstruct(study, draws=2000, seed=1, without=["pain-p"])
correlation = free.summaries()["correlation"].to_numpy()
p_values = {name: ls.analyse(free.stack, name).p_value for name in analyses[:2]}
box = printed.interval()
fitting = correlation[[p in box for p in p_values["paired t"]]]
print(f"{len(fitting)} of {len(free)} members print it with the paired t")
print(f"their correlations: {fitting.min():.2f} to {fitting.max():.2f}")


# %%
def picture(axes, alt):
    """Show a figure together with words that say what it shows."""
    buffer = io.BytesIO()
    axes.figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return Image(buffer.getvalue(), alt=alt)


panels = figures.new_row(len(p_values))
for axes, (name, values) in zip(panels, p_values.items(), strict=True):
    figures.plot_implied_correlation(correlation, values, (float(box.low), float(box.high)), axes)
    axes.set_title(name)
    axes.set_xlabel("within-person correlation")
panels[0].set_ylabel("p")
picture(
    panels[0],
    "The p of trials rebuilt without the printed p, against their within-person correlation: the "
    f"higher the correlation, the smaller the p. The paired t prints {printed} where the "
    f"correlation is {fitting.min():.2f} to {fitting.max():.2f}; the mixed model scatters "
    "around it.",
)

# %% [markdown]
# Left of zero the two part: a random intercept cannot describe people whose outcomes under the two
# conditions are negatively correlated, its variance is at the boundary, and compound symmetry would
# be the model to ask.
#
# `analyse_members` makes every analysis that the design has room for, on every member, and gives
# their ranges; McNemar's tests are on the responders, of whom nobody printed who responds twice.

# %%
ls.analyse_members(free)

# %% [markdown]
# Which of the published conclusions do the figures force? `conclude` takes them from the study file
# and looks at each on members that were rebuilt without the claim that states it, under every
# combination of a few priors. *Forced* is true of every member under all of them, *excluded* of
# none, *prior-dependent* of a share that the prior moves, and *left open* of a share that it does
# not. What every member prints because a trial is built on it is *given*, and no check. The
# plus-minus figures are taken here for what their source says they are; by default `conclude` tries
# the other readings too.

# %%
found = ls.conclude(study, grid=ls.Grid(spread=("ci95",)), draws=300, seed=1)
shown = ["claim", "conclusion", "analysis", "standing", "lowest", "highest", "highest_mcse"]
found.table()[[*shown, "members"]].round(3)

# %%
print(next(one for one in found.conclusions if one.claim == claim.key).sentence())

# %% [markdown]
# A rebuilt trial holds no information that the printed figures and the assumptions did not. And no
# analysis repairs the design: the treatment periods were not equally long and there was no washout,
# so a trend over the weeks or a carried-over effect would move every number on this page alike.
#
# ## 6. The next trial
#
# The printed result, taken at its word, as the truth of a next trial: the mean difference, the
# spread and the correlation that go with the p.

# %%
limits = [float(h.value) for h in half_widths.numbers("spread")]
sds = tuple(planning.sd_from_half_width(h, n=n) for h in limits)
drug, placebo = (float(mean.value) for mean in means.numbers("mean"))
seen = planning.effect_from_paired(mean=drug - placebo, n=n, p=float(printed.value), sds=sds)
print(
    f"difference {seen.mean:.1f}, its SD {seen.sd_difference:.1f}, correlation {seen.correlation:.2f}"
)

# %%
crossover = ls.sample_size(design="ab/ba", effect=seen.mean, sd=seen.sd_difference, power=0.8)
parallel = ls.sample_size(design="parallel", effect=seen.mean, sd=seen.sd_pooled, power=0.8)
print(crossover)
print(parallel)

# %% [markdown]
# That takes a published estimate for the truth. It has a standard error, and results that are
# published because they were significant tend to be too large. `assurance` averages the power over
# a prior; here it is the estimate with its own standard error, then the same shrunk by half, which
# is a choice and not a finding.

# %%
sizes = [20, 28, 40, 60, 80, 120, 160]
rows = []
for label, mean in (("as printed", seen.mean), ("half of it", seen.mean / 2)):
    for size in sizes:
        known = ls.power(design="ab/ba", n=size, effect=mean, sd=seen.sd_difference)
        rows.append((f"power, effect {label}", size, known.estimate))
    for size in sizes:
        unsure = ls.assurance(
            design="ab/ba",
            n=size,
            prior_mean=mean,
            prior_sd=seen.standard_error,
            sd=seen.sd_difference,
        )
        rows.append((f"assurance, prior {label}", size, unsure.estimate))
curves = pd.DataFrame(rows, columns=["label", "n", "power"]).assign(mcse=float("nan"))
wide = curves.pivot_table(index="n", columns="label", values="power")
wide

# %%
at = wide.loc[n]
picture(
    figures.plot_power(curves),
    f"Power and assurance of crossover trials of {sizes[0]} to {sizes[-1]} people. At {n} people: "
    + "; ".join(f"{label} {value:.2f}" for label, value in at.items())
    + ". Assurance is flatter than power.",
)

# %% [markdown]
# The formula has a twin: draw the trials, analyse each with the planned mixed model, and count. A
# simulated power carries its Monte-Carlo error.

# %%
drawn = ls.power(
    design="ab/ba",
    analysis="mixed",
    n=n,
    effect=seen.mean,
    sd=sds,
    correlation=seen.correlation,
    method="simulation",
    seed=1,
)
print(drawn)

# %% [markdown]
# ## 7. A study of your own
#
# A study is a file. `ldnstats new my-trial` in a terminal writes a commented one with blanks;
# `ldnstats check my-trial.toml` checks it. From Python it is the same. This one is made up, and one of
# its percentages cannot be what it says.

# %%
from pathlib import Path

Path("sources.bib").write_text(
    "@article{smith,\n  author = {Smith, Ann},\n  title = {A made-up trial},\n  year = {2019},\n}\n",
    encoding="utf-8",
)
Path("my-trial.toml").write_text(
    """
[study]
kind = "trial"
name = "Made up"
title = "A made-up trial"

[[source]]
id = "paper"
bib = "smith"
standing = "primary"
seen = "all of it"

[design]
type = "parallel"
treatments = ["drug", "placebo"]
sizes = ["20", "20"]
source = "paper"

[design.end_point]
name = "pain"
unit = "points"

[[claim]]
id = "difference"
kind = "test"
says = "Pain was lower on the drug, t(38) = 2.20, p = 0.03"
source = "paper"
statistic = "t"
value = "2.20"
df = ["38"]
p = "0.03"

[[claim]]
id = "people"
kind = "total"
says = "40 people, 20 an arm"
source = "paper"
value = "40"
parts = ["20", "20"]

[[claim]]
id = "responders"
kind = "proportions"
says = "45% responded on the drug and 27% on placebo"
source = "paper"
arms = ["drug", "placebo"]
percent = ["45", "27"]
n = ["20", "20"]
""",
    encoding="utf-8",
)
mine = ls.load_study("my-trial.toml")
print(ls.check(mine))

# %% [markdown]
# An error names the file, the claim, the field, the value and what would be right.

# %%
text = Path("my-trial.toml").read_text(encoding="utf-8")
Path("slip.toml").write_text(text.replace('"2.20"', '"2,20"'), encoding="utf-8")
try:
    ls.load_study("slip.toml")
except ls.StudyError as error:
    print(error)
