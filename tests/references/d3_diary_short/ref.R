source("../common.R")
set.seed(206); n <- 10; T <- 28; rho <- .5; d <- expand.grid(day=1:T, subject=1:n); d$treatment <- ifelse((d$day<=14)==(d$subject<=5),"A","B"); e <- unlist(lapply(1:n,function(i) as.numeric(arima.sim(list(ar=rho),T,sd=sqrt(1-rho^2))))); b <- rnorm(n); b2 <- rnorm(n,0,.6)
d$y <- round(5 - .5*(d$treatment=="B") + b[d$subject] + b2[d$subject]*(d$treatment=="B") + e, 3); d <- keep(d[-sort(sample(nrow(d), 34)),])
saved(
  lme_fit(y ~ treatment + day, ~ treatment|subject, d, corCAR1(.4, form=~day|subject)),
  intercept=lme_fit(y ~ treatment, ~ 1|subject, d, corCAR1(.4, form=~day|subject)),
  apart=lme_fit(y ~ treatment, list(subject=pdDiag(~I(as.numeric(treatment=="B")))), d, corCAR1(.4, form=~day|subject)),
  marginal=gls_fit(y ~ treatment, d, corCAR1(.4, form=~day|subject)),
  lmer=lmer_fit(y ~ treatment + (treatment|subject), d, "treatment"))
