source("../common.R")
set.seed(103); n <- 9; s <- c(rep("AB",7),"BA","BA"); d <- expand.grid(period=1:2, subject=1:n); d$sequence <- s[d$subject]; d$treatment <- ifelse((d$sequence=="AB")==(d$period==1),"A","B")
d$y <- round(50 + 3*(d$treatment=="B") + rnorm(n,0,4)[d$subject] + rnorm(nrow(d),0,3), 4); d <- keep(d[-c(2,15),]); d$period <- factor(d$period)
saved(
  lmer_fit(y ~ treatment + period + sequence + (1|subject), d, "treatment"),
  carry=lmer_fit(y ~ treatment * period + (1|subject), d, "treatment"),
  cs=gls_fit(y ~ treatment + period + sequence, d, corCompSymm(form=~1|subject)),
  us=gls_fit(y ~ treatment + period + sequence, d, corSymm(form=~as.integer(period)|subject), varIdent(form=~1|period)))
