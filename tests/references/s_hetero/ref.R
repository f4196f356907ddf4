source("../common.R")
set.seed(207); n <- 18; d <- expand.grid(visit=1:4, subject=1:n); d$arm <- c("P","Q")[1 + (d$subject %% 3 == 0)]; S <- diag(c(1,1.5,2,3)) %*% .6^abs(outer(1:4,1:4,"-")) %*% diag(c(1,1.5,2,3)); d$y <- round(as.numeric(t(MASS::mvrnorm(n,rep(0,4),S))) + (d$arm=="Q")*d$visit/2, 5); d <- keep(d[-c(6,14,40,41,42,66),]); d$f <- factor(d$visit)
saved(
  gls_fit(y ~ arm * f, d, corSymm(form=~visit|subject), varIdent(form=~1|f)),
  ar1h=gls_fit(y ~ arm * f, d, corAR1(form=~visit|subject), varIdent(form=~1|f)),
  csh=gls_fit(y ~ arm * f, d, corCompSymm(form=~1|subject), varIdent(form=~1|f)),
  cs=gls_fit(y ~ arm * f, d, corCompSymm(form=~1|subject)),
  mixed=lme_fit(y ~ arm * visit, ~ 1|subject, d, corAR1(form=~visit|subject), varIdent(form=~1|f)))
