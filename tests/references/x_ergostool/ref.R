source("../common.R")
data(ergoStool, package="nlme"); d <- keep(ergoStool)
saved(
  lmer_fit(effort ~ Type + (1|Subject), d, "Type"),
  cells=lmer_fit(effort ~ 0 + Type + (1|Subject), d))
