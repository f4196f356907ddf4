source("../common.R")
data(TVbo, package="lmerTest"); d <- keep(TVbo, c("Assessor","TVset","Picture","Sharpnessofmovement","Noise")); d$Picture <- factor(d$Picture)
saved(
  lmer_fit(Noise ~ TVset * Picture + (1|Assessor) + (1|Assessor:TVset) + (1|Assessor:Picture), d, "TVset"),
  crossed=lmer_fit(Sharpnessofmovement ~ TVset * Picture + (1|Assessor) + (1|Assessor:TVset) + (1|Assessor:Picture), d, "TVset"))
