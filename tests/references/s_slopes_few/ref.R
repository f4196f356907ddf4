source("../common.R")
set.seed(106); n <- 6; d <- expand.grid(day=0:4, subject=1:n); d$arm <- rep(c("P","Q"),each=n/2)[d$subject]; b <- rnorm(n); d$y <- round(20 + 2*b[d$subject] + (1 + b[d$subject])*d$day + .5*(d$arm=="Q")*d$day + rnorm(nrow(d),0,1.5), 6); d <- keep(d[-c(5,12,13,28),])
saved(
  lmer_fit(y ~ arm * day + (day|subject), d),
  apart=lmer_fit(y ~ arm * day + (1|subject) + (0+day|subject), d),
  slope=lmer_fit(y ~ arm * day + (0+day|subject), d))
