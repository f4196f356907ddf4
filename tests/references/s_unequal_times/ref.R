source("../common.R")
set.seed(204); n <- 26; w <- c(0,1,2,4,8,13); d <- expand.grid(k=1:6, subject=1:n); d$week <- w[d$k]; d$arm <- c("P","Q")[1 + d$subject %% 2]; S <- 4*.85^abs(outer(w,w,"-")); d$y <- round(10 - .2*d$week*(d$arm=="Q") + as.numeric(t(MASS::mvrnorm(n,rep(0,6),S))) + rnorm(n)[d$subject], 5); d <- keep(d[-sample(nrow(d),17),c("subject","arm","week","y")])
saved(
  gls_fit(y ~ arm * week, d, corCAR1(form=~week|subject)),
  both=lme_fit(y ~ arm * week, ~ 1|subject, d, corCAR1(form=~week|subject)),
  slope=lme_fit(y ~ arm * week, ~ week|subject, d, corCAR1(form=~week|subject)))
