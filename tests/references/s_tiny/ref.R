source("../common.R")
set.seed(104); n <- 4; d <- expand.grid(period=1:2, subject=1:n); d$sequence <- rep(c("AB","BA"),each=2)[d$subject]; d$treatment <- ifelse((d$sequence=="AB")==(d$period==1),"A","B")
d$y <- round(5 + (d$treatment=="B") + rnorm(n,0,2)[d$subject] + rnorm(nrow(d)), 4); d <- keep(d); d$period <- factor(d$period)
saved(
  lmer_fit(y ~ treatment + period + sequence + (1|subject), d, "treatment"),
  plain=lmer_fit(y ~ treatment + (1|subject), d, "treatment"))
