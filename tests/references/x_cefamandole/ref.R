source("../common.R")
data(Cefamandole, package="nlme"); d <- keep(Cefamandole)
saved(
  lmer_fit(log(conc) ~ Time + I(Time^2) + (Time|Subject), d))
