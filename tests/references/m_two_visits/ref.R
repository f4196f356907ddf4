source("../common.R")
set.seed(201); n <- 24; d <- expand.grid(visit=1:2, subject=1:n); d$arm <- rep(c("P","Q"),n/2)[d$subject]; d$y <- round(3 + (d$arm=="Q")*(d$visit==2) - .5*(rnorm(n)[d$subject]) * c(1,-1)[d$visit] + rnorm(2*n), 6); d <- keep(d[-c(3,8,20,31,44),]); d$visit <- factor(d$visit); d$subject <- factor(d$subject); d$arm <- factor(d$arm)
saved(
  mmrm_fit(y ~ arm * visit + cs(visit|subject), d),
  us=mmrm_fit(y ~ arm * visit + us(visit|subject), d),
  ar1=mmrm_fit(y ~ arm * visit + ar1(visit|subject), d),
  csh=mmrm_fit(y ~ arm + visit + csh(visit|subject), d),
  extra="mmrm")
