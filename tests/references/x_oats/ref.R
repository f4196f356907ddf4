source("../common.R")
data(Oats, package="nlme"); d <- keep(Oats); d$f <- factor(d$nitro)
saved(
  lmer_fit(yield ~ nitro * Variety + (1|Block) + (1|Block:Variety), d, "Variety"),
  factors=lmer_fit(yield ~ f * Variety + (1|Block) + (1|Block:Variety), d, c("Variety","f")),
  block=lmer_fit(yield ~ Variety + f + (1|Block), d))
