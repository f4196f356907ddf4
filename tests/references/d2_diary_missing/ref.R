source("../common.R")
set.seed(205); n <- 28; T <- 126; rho <- .4; s <- 1.2; d <- expand.grid(day=1:T, subject=1:n); d$sequence <- rep(c("AB","BA"),each=n/2)[d$subject]; d$block <- (d$day-1)%/%21+1; d$treatment <- ifelse(((d$block %% 2)==1)==(d$sequence=="AB"),"A","B"); b <- MASS::mvrnorm(n,c(0,0),matrix(c(1,-.15,-.15,.25),2))
e <- unlist(lapply(1:n,function(i) as.numeric(arima.sim(list(ar=rho),T,sd=s*sqrt(1-rho^2))))); d$y <- round(5 - .4*(d$treatment=="B") - .02*(d$day-63.5)/7 + b[d$subject,1] + b[d$subject,2]*(d$treatment=="B") + e, 3)
d <- keep(d[-sort(sample(nrow(d), round(.12*nrow(d)))), c("subject","treatment","day","y")]); d$week <- (d$day-63.5)/7
saved(
  lme_fit(y ~ treatment + week, ~ treatment|subject, d, corCAR1(form=~day|subject)),
  intercept=lme_fit(y ~ treatment + week, ~ 1|subject, d, corCAR1(form=~day|subject)))
