source("../common.R")
data(PBG, package="nlme"); d <- keep(PBG); d$f <- factor(d$dose)
saved(
  lmer_fit(deltaBP ~ f * Treatment + (1|Rabbit) + (1|Rabbit:Treatment), d, "Treatment"),
  dose=lmer_fit(deltaBP ~ dose * Treatment + (1|Rabbit), d, "Treatment"))
