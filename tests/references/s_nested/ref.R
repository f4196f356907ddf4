source("../common.R")
set.seed(109); d <- expand.grid(rep=1:2, period=1:3, subject=1:8); d$treatment <- c("A","B","C")[1 + (d$subject + d$period) %% 3]; d$y <- round(7 + .8*(d$treatment=="C") + rnorm(8)[d$subject] + .7*rnorm(24)[3*(d$subject-1)+d$period] + rnorm(nrow(d),0,.5), 6); d <- keep(d[-c(2,7,8,31),])
saved(
  lmer_fit(y ~ treatment + (1|subject) + (1|subject:period), d, "treatment"),
  slope=lmer_fit(y ~ treatment + period + (1 + period|subject) + (1|subject:period), d, "treatment"))
