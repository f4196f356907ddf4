source("../common.R")
data(Wafer, package="nlme"); d <- keep(Wafer)
saved(
  lmer_fit(current ~ voltage + I(voltage^2) + (1|Wafer) + (1|Wafer:Site), d),
  slopes=lmer_fit(current ~ voltage + I(voltage^2) + (voltage|Wafer) + (voltage|Wafer:Site), d))
