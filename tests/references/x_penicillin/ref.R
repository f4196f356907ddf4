source("../common.R")
data(Penicillin, package="lme4"); d <- keep(Penicillin)
saved(
  lmer_fit(diameter ~ 1 + (1|plate) + (1|sample), d, NULL, FALSE))
