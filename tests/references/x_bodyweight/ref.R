source("../common.R")
data(BodyWeight, package="nlme"); d <- keep(BodyWeight); d$Diet <- factor(d$Diet)
saved(
  lmer_fit(weight ~ Time * Diet + (Time|Rat), d, "Diet"),
  serial=lme_fit(weight ~ Time * Diet, ~ Time|Rat, d, corCAR1(form=~Time|Rat)),
  marginal=gls_fit(weight ~ Time * Diet, d, corCAR1(form=~Time|Rat)),
  intercept=lme_fit(weight ~ Time * Diet, ~ 1|Rat, d, corCAR1(form=~Time|Rat)))
