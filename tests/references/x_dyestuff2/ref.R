source("../common.R")
data(Dyestuff2, package="lme4"); d <- keep(Dyestuff2)
saved(
  lmer_fit(Yield ~ 1 + (1|Batch), d, NULL, FALSE))
