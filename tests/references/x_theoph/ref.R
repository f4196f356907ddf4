source("../common.R")
d <- keep(datasets::Theoph)
saved(
  lmer_fit(conc ~ Time + I(Time^2) + (1|Subject), d),
  slope=lmer_fit(conc ~ Wt + Time + (Time|Subject), d))
