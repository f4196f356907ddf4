source("../common.R")
set.seed(208); n <- 12; d <- expand.grid(day=0:4, subject=1:n); d$arm <- c("P","Q")[1 + d$subject %% 2]; d$y <- 1e-6 * round(20 + 2*rnorm(n)[d$subject] + (1 + rnorm(n,0,.5))[d$subject]*d$day + rnorm(nrow(d)), 6); d$z <- 1e12 * d$y; d <- keep(d)
saved(
  lmer_fit(z ~ arm * day + (day|subject), d, "arm"),
  intercept=lmer_fit(z ~ arm * day + (1|subject), d, "arm"))
