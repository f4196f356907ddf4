source("../common.R")
data(Pixel, package="nlme"); d <- keep(Pixel)
saved(
  lmer_fit(pixel ~ day + I(day^2) + (day|Dog) + (1|Dog:Side), d),
  side=lmer_fit(pixel ~ day * Side + (1|Dog) + (1|Dog:Side), d, "Side"))
