source("../common.R")
data(Dialyzer, package="nlme"); d <- keep(Dialyzer); d$QB <- factor(d$QB)
saved(
  lmer_fit(rate ~ (pressure + I(pressure^2)) * QB + (pressure|Subject), d),
  cubic=lmer_fit(rate ~ (pressure + I(pressure^2) + I(pressure^3)) * QB + (pressure + I(pressure^2)|Subject), d))
