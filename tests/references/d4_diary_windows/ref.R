# Days of the baseline and of the end points of a 2x2 crossover (28 subjects, simulated), some missing;
# random intercept, AR(1) over days (corCAR1), REML.
source("../common.R")
d <- read.csv("windows.csv"); d$subject <- factor(d$subject)
d$condition <- factor(d$condition, levels=c("baseline","LDN","placebo"))
ctl <- lmeControl(opt="optim", maxIter=500, msMaxIter=2000, tolerance=1e-10, msTol=1e-12, reltol=1e-14, niterEM=50)
l <- lme(rating ~ 0 + condition + period, random=~1|subject, correlation=corCAR1(form=~day|subject), data=d, method="REML", control=ctl)
b <- fixef(l); V <- vcov(l); w <- c(0,-1,1,0); L <- rbind(c(-1,1,0,0), c(-1,0,1,0))
o <- list(case="d4_diary_windows", versions=vers(), logLik=as.numeric(logLik(l)),
  estimate=sum(w*b), se=sqrt(c(w %*% V %*% w)), F=c(t(L%*%b) %*% solve(L%*%V%*%t(L)) %*% (L%*%b))/2,
  phi=unname(coef(l$modelStruct$corStruct, unconstrained=FALSE)), sigma=l$sigma, sd_person=as.numeric(VarCorr(l)[1,2]))
wj(o, "ref.json")
