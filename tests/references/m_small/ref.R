source("../common.R")
set.seed(203); n <- 9; d <- expand.grid(visit=1:3, subject=1:n); d$arm <- c("P","Q")[1 + (d$subject > 4)]; S <- matrix(c(1,.6,.3,.6,2,.9,.3,.9,1.5),3); d$y <- round(as.numeric(t(MASS::mvrnorm(n,rep(0,3),S))) + (d$arm=="Q")*d$visit/2, 5); d <- keep(d[-c(6,14),]); d$visit <- factor(d$visit); d$subject <- factor(d$subject); d$arm <- factor(d$arm)
saved(
  mmrm_fit(y ~ arm * visit + us(visit|subject), d),
  cs=mmrm_fit(y ~ arm * visit + cs(visit|subject), d),
  ar1=mmrm_fit(y ~ arm * visit + ar1(visit|subject), d),
  extra="mmrm")
