# %% [markdown]
# # McNemar or chi-square?
#
# A crossover trial gives each person the drug and the placebo, one after the other. Its abstract
# prints how many per cent of the people responded under each condition, and a p-value. It does
# not name the test.
#
# You will work out which test fits the design, which tests print that p, and what may be
# concluded. Replace each `...` by your answer and run the cell: `grade` says whether it is right,
# and if not, what may have gone wrong. It takes about twenty minutes.

# %%
import ldnstats as ls
from ldnstats.exercises import grade
from ldnstats.forensics import counts, paired_tables

study = ls.load_studies()["younger2013"]
responders, comparison = study.claim("responders"), study.claim("responders-p")
print(responders.says)
print(comparison.says)
print(f"people: {comparison.people()[0]}")

# %% [markdown]
# ## The counts behind the percentages
#
# A percentage of a known number of people can come from few counts, often from one only.

# %%
(n,) = comparison.people()
for arm, percent in zip(responders.texts("arms"), responders.numbers("percent"), strict=True):
    print(f"{percent}% of {n} on {arm}: {counts(percent, n=n)}")

# %% [markdown]
# ## 1. Paired, or not?
#
# Which test compares these two proportions as the design asks? Give its name as text.

# %%
right_test = (
    # <solution>
    "McNemar's test"
    # </solution>
)
grade("paired-or-not", right_test)

# %% [markdown]
# ## 2. What the margins leave open
#
# The two counts are the margins of a table that has a row for responding or not on the drug, and
# a column for responding or not on placebo. Its four cells are not printed. `paired_tables` lists
# every table with these margins. How many are there?

# %%
(first,), (second,) = (counts(percent, n=n) for percent in responders.numbers("percent"))
tables = paired_tables(n=n, first=first, second=second, p=comparison.number("p"))
tables[["both", "first_only", "second_only", "neither"]]

# %%
how_many = (
    # <solution>
    len(tables)
    # </solution>
)
grade("how-many-tables", how_many)

# %% [markdown]
# ## 3. McNemar's p
#
# Take the table in which one person responded under both conditions. Compute the two-sided p of
# the exact McNemar test: under the null hypothesis each discordant person is as likely to have
# responded under the one condition as under the other, so the smaller discordant count is
# binomial with probability one half.

# %%
from scipy.stats import binomtest

one_in_both = tables.set_index("both").loc[1]
discordant = int(one_in_both["first_only"]), int(one_in_both["second_only"])
print(f"responded under one condition only: {discordant[0]} and {discordant[1]}")

p_value = (
    # <solution>
    binomtest(min(discordant), sum(discordant), 0.5).pvalue
    # </solution>
)
grade("mcnemar-p", p_value)

# %% [markdown]
# ## 4. Which tests print the p?
#
# A p that is printed with two decimals stands for an interval. Of the *two-tailed* tests of the
# same table (the columns that do not end in `one_tailed`), which fall into it? Give a set of
# column names.

# %%
print(f"{comparison.number('p')} stands for {comparison.number('p').interval()}")
one_in_both.drop(["first_only", "second_only", "neither", "prints", "prints_truncated"])

# %%
printing = (
    # <solution>
    {
        name
        for name, p in one_in_both.items()
        if isinstance(p, float)
        and p in comparison.number("p").interval()
        and not name.endswith("one_tailed")
    }
    # </solution>
)
grade("tests-that-print", printing)

# %% [markdown]
# ## 5. What follows?
#
# Choose one:
#
# - `"paired"`: a test for pairs was used
# - `"unpaired"`: a test for separate groups was used, which does not fit the design
# - `"not identified"`: what is printed does not tell which test was used
# - `"impossible"`: no test prints this p
#
# Before you choose: only two-tailed tests of one table were looked at so far. The next cell asks
# for all tables, one-tailed tests, and the tests that use the order in which people had the two
# treatments.

# %%
from ldnstats.forensics import which_paired_test

finding = which_paired_test(
    n=n, first=first, second=second, p=comparison.number("p"), sizes=study.design.sizes
)
print(finding.summary)
print("\n".join(finding.working))

# %%
conclusion = (
    # <solution>
    "not identified"
    # </solution>
)
grade("what-follows", conclusion)

# %% [markdown]
# ## To take home
#
# People who were measured twice are compared with themselves. A test for separate groups that
# happens to print the published p is a lead and no proof: the more tests are tried, the more
# p-values some test will print, and the last cells show how many that is here.
