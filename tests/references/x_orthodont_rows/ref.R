source("../common.R")
data(Orthodont, package="nlme"); d <- as.data.frame(Orthodont); d$v <- (d$age-6)/2; d <- keep(d); d$f <- factor(d$age)
saved(
  gls_fit(distance ~ age * Sex, d, corSymm(form=~v|Subject), varIdent(form=~1|f)),
  cs=gls_fit(distance ~ age * Sex, d, corCompSymm(form=~1|Subject)),
  csh=gls_fit(distance ~ age * Sex, d, corCompSymm(form=~1|Subject), varIdent(form=~1|f)),
  ar1=gls_fit(distance ~ age * Sex, d, corAR1(form=~v|Subject)),
  car1=gls_fit(distance ~ age * Sex, d, corCAR1(form=~age|Subject)),
  ar1h=gls_fit(distance ~ age * Sex, d, corAR1(form=~v|Subject), varIdent(form=~1|f)),
  serial=lme_fit(distance ~ age * Sex, ~ 1|Subject, d, corAR1(form=~v|Subject)),
  saturated=gls_fit(distance ~ f * Sex, d, corSymm(form=~v|Subject), varIdent(form=~1|f)))
