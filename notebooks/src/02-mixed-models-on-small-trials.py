# %% [markdown]
# # Mixed models on small trials
#
# A crossover trial of ten people lives or dies by its degrees of freedom. This page fits mixed
# models to small simulated trials, one at a time and thousands at once:
#
# 1. one fit, and the degrees of freedom asked for by name,
# 2. what the data do not say: intervals for the variances,
# 3. which person carries the result,
# 4. ten thousand trials in one call, and what the tests do where there is no effect,
# 5. daily diaries with serial correlation.
#
# The data are simulated, with a known truth. Nothing here is medical advice.

# %%
import io

import numpy as np
import pandas as pd
from IPython.display import Image

import ldnstats as ls
from ldnstats import figures

pd.set_option("display.precision", 4)
rng = np.random.default_rng(7)


def picture(axes, alt):
    """Show a figure together with words that say what it shows."""
    buffer = io.BytesIO()
    axes[0].figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    return Image(buffer.getvalue(), alt=alt)


# %% [markdown]
# ## 1. One crossover
#
# Ten people, two periods, three values missing. The truth: a treatment effect of one point, standard
# deviation one within people, and as much between them.

# %%
people, effect = 10, 1.0
trial = pd.DataFrame(
    {
        "subject": np.repeat([f"SIMULATED-{i + 1:02d}" for i in range(people)], 2),
        "sequence": np.repeat(np.where(np.arange(people) % 2, "BA", "AB"), 2),
        "period": np.tile([1, 2], people),
    }
)
trial["treatment"] = np.where((trial["sequence"] == "AB") == (trial["period"] == 1), "A", "B")
person = np.repeat(rng.normal(size=people), 2)
trial["pain"] = 5 + person - effect * (trial["treatment"] == "B") + rng.normal(size=len(trial))
trial.loc[[3, 8, 13], "pain"] = np.nan

model = ls.fit("pain ~ treatment + C(period) + sequence + (1 | subject)", trial)
model

# %% [markdown]
# The p-value belongs to a test, not to a fit: the same fit answers with other degrees of freedom.
# The normal distribution, which some programs use without saying so, takes the estimated variances
# for the truth.

# %%
methods = ("kenward-roger", "satterthwaite", "between-within", "residual", "normal")
tests = [model.contrast({"B": 1, "A": -1}, over="treatment", df=method) for method in methods]
pd.DataFrame(
    {
        "df": [t.df for t in tests],
        "std_error": [t.std_error for t in tests],
        "p_value": [t.p_value for t in tests],
    },
    index=methods,
)

# %% [markdown]
# ## 2. What so few values say about variances
#
# Little. The profile likelihood shows it; a symmetric interval would hide it.

# %%
model.confint("variance")

# %% [markdown]
# ## 3. Which person carries the result?
#
# Every person is left out in turn and the model fitted anew, all in one stacked call.

# %%
influence = model.influence()
influence.subjects.head()

# %%
picture(
    figures.plot_residuals(model, by="treatment"),
    "Studentized residuals against fitted values, against normal quantiles with a band, and by"
    " treatment",
)

# %% [markdown]
# ## 4. Ten thousand trials in one call
#
# `fit_many` takes responses that share a layout as the columns of an array. Here there is no effect,
# so a test at five per cent should reject in five of a hundred. Each rate has its Monte-Carlo error.

# %%
kept = trial["pain"].notna()
layout = trial[kept].drop(columns="pain")
codes = pd.factorize(layout["subject"])[0]
size = 10_240
null = rng.normal(size=(people, size))[codes] + rng.normal(size=(len(layout), size))
many = ls.fit_many("pain ~ treatment + C(period) + sequence + (1 | subject)", layout, null)
rates = {
    method: (many.contrast({"B": 1, "A": -1}, over="treatment", df=method).p_value < 0.05).mean()
    for method in methods
}
table = pd.DataFrame({"rejected": rates})
table["mcse"] = np.sqrt(table["rejected"] * (1 - table["rejected"]) / size)
print(f"{many.n_boundary} of {size} fits have a variance between people of zero")
table

# %% [markdown]
# ## 5. Diaries
#
# Eight people rate every day for six weeks; the treatment changes every week. Ratings of neighbouring
# days are alike, and the effect differs between people: a random effect of treatment beside serial
# correlation. That the days are many does not make the people many.

# %%
days = 42
diary = pd.DataFrame(
    {"subject": np.repeat(range(1, 9), days), "day": np.tile(range(1, days + 1), 8)}
)
week = (diary["day"] - 1) // 7
diary["treatment"] = np.where((week + diary["subject"]) % 2, "B", "A")
noise = rng.normal(size=(8, days))
for t in range(1, days):
    noise[:, t] = 0.4 * noise[:, t - 1] + np.sqrt(1 - 0.4**2) * noise[:, t]
own = rng.normal(size=(8, 2)) * [1.0, 0.8]
treated = (diary["treatment"] == "B").to_numpy()
diary["pain"] = (
    5 + np.repeat(own[:, 0], days) + treated * np.repeat(own[:, 1] - 0.5, days) + noise.ravel()
)
serial = ls.fit("pain ~ treatment + (treatment | subject) + ar1(day | subject)", diary)
naive = ls.fit("pain ~ treatment + (1 | subject)", diary)
for name, one in (("random effects and AR(1)", serial), ("random intercept alone", naive)):
    print(f"{name}: {one.contrast({'B': 1, 'A': -1}, over='treatment')}")

# %%
serial.varcorr()

# %%
picture(
    figures.plot_random_effects(serial),
    "Predicted intercept and treatment effect of each person with 95% intervals, sorted",
)
