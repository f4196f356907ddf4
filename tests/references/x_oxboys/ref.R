source("../common.R")
data(Oxboys, package="nlme"); d <- keep(Oxboys, c("Subject","age","height"))
saved(
  lmer_fit(height ~ age + (age|Subject), d),
  square=lmer_fit(height ~ age + I(age^2) + (age|Subject), d),
  both=lmer_fit(height ~ age + I(age^2) + (age + I(age^2)|Subject), d))
