source("../common.R")
data(Machines, package="nlme"); d <- keep(Machines)
saved(
  lmer_fit(score ~ Machine + (1|Worker) + (1|Worker:Machine), d, "Machine"),
  slopes=lmer_fit(score ~ Machine + (Machine|Worker), d, "Machine"),
  cells=lmer_fit(score ~ 0 + Machine + (0 + Machine|Worker), d),
  intercept=lmer_fit(score ~ Machine + (1|Worker), d))
