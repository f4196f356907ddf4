source("../common.R")
set.seed(107); n <- 12; d <- expand.grid(day=0:3, subject=1:n); d$y <- round(20 + rnorm(n)[d$subject] + .3*d$day + rnorm(nrow(d),0,1.5), 6); d <- keep(d)
saved(
  lmer_fit(y ~ day + (day|subject), d),
  apart=lmer_fit(y ~ day + (1|subject) + (0+day|subject), d))
