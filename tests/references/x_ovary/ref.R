source("../common.R")
data(Ovary, package="nlme"); d <- as.data.frame(Ovary); d$row <- ave(d$Time, d$Mare, FUN=seq_along); d <- keep(d)
saved(
  lme_fit(follicles ~ sin(2*pi*Time) + cos(2*pi*Time), ~ 1|Mare, d, corAR1(form=~row|Mare)),
  marginal=gls_fit(follicles ~ sin(2*pi*Time) + cos(2*pi*Time), d, corAR1(form=~row|Mare)),
  slope=lme_fit(follicles ~ sin(2*pi*Time) + cos(2*pi*Time), list(Mare=pdDiag(~sin(2*pi*Time))), d, corAR1(form=~row|Mare)),
  lmer=lmer_fit(follicles ~ sin(2*pi*Time) + cos(2*pi*Time) + (1|Mare), d))
