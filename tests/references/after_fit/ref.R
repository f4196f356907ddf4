# What is asked of a fit afterwards, on the data of other cases: weights and offset, random
# effects, residuals, predictions, and refits without each subject in turn.
source("../common.R")
crossover <- function(case) { d <- read.csv(sprintf("../%s/data.csv", case)); for (v in c("subject","sequence","period","treatment")) d[[v]] <- factor(d[[v]]); d }
sleep <- read.csv("../c_sleepstudy/data.csv"); sleep$Subject <- factor(sleep$Subject)
i <- seq_len(nrow(sleep)); sleep$w <- 0.5 + ((i*7) %% 11)/5; sleep$o <- 10*sin(i)
o <- list(case="after_fit", versions=vers())

# Prior weights and offset, by REML and ML
weighted <- function(f, d, reml) { m <- lmerTest::lmer(f, d, weights=w, REML=reml, control=tight); s <- tab(m)
  list(logLik=as.numeric(logLik(m)), AIC=AIC(m), BIC=BIC(m), sigma=sigma(m), varcomp=vc(m)$vcov, satterthwaite=s, fitted=unname(fitted(m)), pearson=unname(residuals(m, type="pearson")/sigma(m)), ranef=as.data.frame(ranef(m, condVar=TRUE))[,c("grp","term","condval","condsd")]) }
f1 <- Reaction ~ Days + offset(o) + (1|Subject); f2 <- Reaction ~ Days + offset(o) + (Days|Subject)
o$weights <- list(intercept_REML=weighted(f1,sleep,TRUE), intercept_ML=weighted(f1,sleep,FALSE), slopes_REML=weighted(f2,sleep,TRUE), slopes_ML=weighted(f2,sleep,FALSE))
v <- sleep; v$v <- 1/v$w
gl <- function(cor, method) { g <- gls(Reaction ~ Days, v, weights=varFixed(~v), correlation=cor, method=method, control=glsControl(tolerance=1e-10,msTol=1e-12,maxIter=500,msMaxIter=500))
  list(logLik=as.numeric(logLik(g)), sigma=g$sigma, phi=unname(coef(g$modelStruct$corStruct,unconstrained=FALSE)), coef=unname(coef(g)), se=unname(summary(g)$tTable[,2])) }
o$gls <- list(ar1_REML=gl(corAR1(form=~Days|Subject),"REML"), ar1_ML=gl(corAR1(form=~Days|Subject),"ML"), cs_REML=gl(corCompSymm(form=~1|Subject),"REML"))

# Marginal means with offsets: emmeans takes them at their mean
a <- crossover("a_crossover"); a$o <- exp(sin(seq_len(nrow(a))))
m <- lmerTest::lmer(y ~ treatment + period + offset(log(o)) + (1|subject), a, control=tight)
b <- lmerTest::lmer(y ~ treatment + period + offset(o) + (1|subject), a, offset=log(o), control=tight)
o$offset <- list(formula=emt(m,"treatment","kenward-roger"), both=emt(b,"treatment","kenward-roger"), both_coef=unname(fixef(b)))

# Random effects: conditional modes and standard deviations (lme4), and prediction errors (C22
# of Henderson's equations, inverted as a whole)
c22 <- function(m) { X <- getME(m,"X"); Z <- as.matrix(getME(m,"Z")); L <- as.matrix(getME(m,"Lambda")); s <- sigma(m)^2; G <- s*L%*%t(L)
  H <- rbind(cbind(t(X)%*%X, t(X)%*%Z), cbind(t(Z)%*%X, t(Z)%*%Z + s*solve(G)))/s; C <- solve(H); sqrt(diag(C))[-seq_len(ncol(X))] }
effects <- function(f, d) { m <- lmer(f, d, control=tight); r <- as.data.frame(ranef(m, condVar=TRUE)); k <- data.frame(grpvar=as.character(r$grpvar), grp=as.character(r$grp), term=as.character(r$term), estimate=r$condval, sd=r$condsd)
  list(effects=k, c22=unname(c22(m)), fitted=unname(fitted(m)), fixed=unname(predict(m, re.form=NA)), coef=unname(as.matrix(coef(m)[[length(coef(m))]]))) }
p <- read.csv("../x_pastes/data.csv"); p$batch <- factor(p$batch); p$cask <- factor(p$cask)
o$effects <- list(a_crossover=effects(y ~ treatment+period+sequence+(1|subject), a), a2_crossover_missing=effects(y ~ treatment+period+sequence+(1|subject), crossover("a2_crossover_missing")),
  c_sleepstudy=effects(Reaction ~ Days + (Days|Subject), sleep), x_pastes=effects(strength ~ 1 + (1|batch/cask), p))
o$effects$uncorrelated <- unname(as.matrix(ranef(lmer(Reaction ~ Days + (Days||Subject), sleep, control=tight))$Subject))

# Random effects with AR(1) rows (nlme), on the first 42 days of the diary
d <- read.csv("../d_diary/data.csv"); d <- d[d$day <= 42,]; for (k in c("subject","treatment")) d[[k]] <- factor(d[[k]])
ctl <- lmeControl(opt="optim", maxIter=500, msMaxIter=2000, tolerance=1e-10, msTol=1e-12, reltol=1e-14, niterEM=50, msMaxEval=5000)
l <- lme(y ~ treatment + week, random=~treatment|subject, correlation=corAR1(form=~day|subject), data=d, control=ctl)
r <- ranef(l); keep <- seq(1, nrow(d), by=7)
res <- function(type, level=1) unname(residuals(l, type=type, level=level))[keep]
o$diary <- list(days=42, keep=keep, logLik=as.numeric(logLik(l)), level=rownames(r), ranef=unname(as.matrix(r)), fitted=unname(fitted(l))[keep], fixed=unname(fitted(l, level=0))[keep], response=res("response"), pearson=res("pearson"), normalized=res("normalized"))

# Refits without each subject in turn, by a loop over fresh lmer fits
refits <- function(f, d, group) { m <- lmerTest::lmer(f, d, control=tight); V <- as.matrix(vcov(m)); b <- fixef(m)
  out <- lapply(unique(as.character(d[[group]])), function(s) { e <- d[as.character(d[[group]]) != s,]; n <- lmerTest::lmer(f, e, control=tight); c1 <- fixef(n); W <- as.matrix(vcov(n)); u <- b - c1; k <- anv(n,"Kenward-Roger")
    list(level=s, coef=unname(c1), se=unname(sqrt(diag(W))), cooks=as.numeric(t(u)%*%solve(V)%*%u/length(b)), covratio=det(W)/det(V), terms=k$term, p=k$p) })
  out }
o$influence <- list(a2_crossover_missing=refits(y ~ treatment+period+sequence+(1|subject), crossover("a2_crossover_missing"), "subject"), c_sleepstudy=refits(Reaction ~ Days + (Days|Subject), sleep, "Subject"))
wj(o, "ref.json")
