source("../common.R")
data(sleepstudy, package="lme4"); d <- sleepstudy; d$late <- d$Days > 4; d$f <- cut(d$Days, c(-1,2,5,9), labels=c("low","mid","high")); d <- keep(d); d$f <- factor(d$f, levels=c("mid","low","high"))
saved(
  lmer_fit(Reaction ~ Days + I(Days^2) + (Days|Subject), d),
  late=lmer_fit(Reaction ~ late + Days + (1|Subject), d),
  slopes=lmer_fit(Reaction ~ f + (f|Subject), d, "f"),
  log=lmer_fit(log(Reaction) ~ log(Days + 1) + (1|Subject), d),
  centred=lmer_fit(Reaction ~ poly(Days, 2) + (1|Subject), d),
  interaction=lmer_fit(Reaction ~ Days:f + (1|Subject), d))
