source("../common.R")
set.seed(108); n <- 10; d <- expand.grid(day=0:5, subject=1:n); b <- rnorm(n); d$y <- round(20 - 3*b[d$subject] + (1 + .8*b[d$subject])*d$day + rnorm(nrow(d),0,1), 6); d <- keep(d)
saved(
  lmer_fit(y ~ day + (day|subject), d),
  three=lmer_fit(y ~ day + (day + I(day^2)|subject), d))
