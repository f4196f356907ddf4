source("../common.R")
data(sleepstudy, package="lme4"); set.seed(18); d <- keep(sleepstudy[-sample(180,18),])
saved(
  lmer_fit(Reaction ~ Days + (Days|Subject), d),
  apart=lmer_fit(Reaction ~ Days + (1|Subject) + (0+Days|Subject), d),
  slope=lmer_fit(Reaction ~ Days + (0+Days|Subject), d),
  square=lmer_fit(Reaction ~ Days + I(Days^2) + (Days|Subject), d))
