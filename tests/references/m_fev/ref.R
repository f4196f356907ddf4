source("../common.R")
data(fev_data, package="mmrm"); d <- keep(fev_data, c("USUBJID","ARMCD","AVISIT","RACE","SEX","FEV1")); for (v in c("USUBJID","ARMCD","AVISIT","RACE","SEX")) d[[v]] <- factor(d[[v]])
saved(
  mmrm_fit(FEV1 ~ RACE + SEX + ARMCD * AVISIT + us(AVISIT|USUBJID), d),
  arms=mmrm_fit(FEV1 ~ ARMCD * AVISIT + us(AVISIT|ARMCD/USUBJID), d),
  arms_ar1h=mmrm_fit(FEV1 ~ ARMCD * AVISIT + ar1h(AVISIT|ARMCD/USUBJID), d),
  extra="mmrm")
