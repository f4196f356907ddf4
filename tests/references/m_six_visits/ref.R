source("../common.R")
set.seed(202); n <- 44; T <- 6; d <- expand.grid(visit=1:T, subject=1:n); d$arm <- c("placebo","active")[1 + (d$subject %% 2)]; S <- outer(1:T,1:T,function(a,b) .8^abs(a-b)*sqrt((1+a/3)*(1+b/3))*4); e <- t(MASS::mvrnorm(n,rep(0,T),S)); d$base <- round(rnorm(n,10,2),3)[d$subject]; d$y <- round(20 + .4*d$base - d$visit - .6*d$visit*(d$arm=="active") + as.numeric(e), 5)
stop <- sample(c(3:6,rep(7,8)), n, TRUE); d <- d[d$visit < stop[d$subject],]; d <- keep(d[-sample(nrow(d), 8),c("subject","arm","visit","base","y")]); d <- d[order(d$subject,d$visit),]; d$visit <- factor(d$visit); d$subject <- factor(d$subject); d$arm <- factor(d$arm)
saved(
  mmrm_fit(y ~ base + arm * visit + us(visit|subject), d),
  toeph=mmrm_fit(y ~ base + arm * visit + toeph(visit|subject), d),
  baseline=mmrm_fit(y ~ base * visit + arm * visit + us(visit|subject), d),
  extra="mmrm")
