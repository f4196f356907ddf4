source("../common.R")
set.seed(102); n <- 11; sq <- rbind(c("T","R","T","R"),c("R","T","R","T")); s <- c(1,1,1,1,1,1,1,2,2,2,2)
d <- expand.grid(period=1:4, subject=1:n); d$sequence <- c("TRTR","RTRT")[s[d$subject]]; d$formulation <- sq[cbind(s[d$subject], d$period)]
d$y <- round(4 + .1*(d$formulation=="T") + rnorm(n,0,.4)[d$subject] + .2*rnorm(2*n)[2*d$subject - (d$formulation=="T")] + rnorm(nrow(d),0,.15), 6); d <- keep(d[-c(3,17,30),]); d$period <- factor(d$period)
saved(
  lmer_fit(y ~ sequence + period + formulation + (0 + formulation|subject), d, "formulation"),
  nested=lmer_fit(y ~ sequence + period + formulation + (1|subject) + (1|subject:formulation), d, "formulation"),
  slope=lmer_fit(y ~ period + formulation + (formulation|subject), d, "formulation"),
  apart=lmer_fit(y ~ period + (1|subject) + (0 + I(formulation=="T")|subject), d, NULL, FALSE))
