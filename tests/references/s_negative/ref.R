source("../common.R")
set.seed(105); n <- 20; d <- expand.grid(visit=1:3, subject=1:n); d$arm <- rep(c("P","Q"),n/2)[d$subject]; S <- matrix(-.4,3,3); diag(S) <- 1; e <- t(MASS::mvrnorm(n,rep(0,3),S)); d$y <- round(2 + .5*(d$arm=="Q") + as.numeric(e), 6); d <- keep(d[-c(4,20,33,41),]); d$f <- factor(d$visit)
saved(
  lmer_fit(y ~ arm + f + (1|subject), d, "arm"),
  cs=gls_fit(y ~ arm + f, d, corCompSymm(-.2, form=~1|subject)),
  us=gls_fit(y ~ arm * f, d, corSymm(form=~visit|subject), varIdent(form=~1|f)),
  slope=lmer_fit(y ~ arm + visit + (visit|subject), d))
