source("../common.R"); suppressPackageStartupMessages(library(RLRsim))
R <- "../"
o <- list(versions=vers("RLRsim"))
# Profile likelihood (lme4), finer than by default; Wald intervals (nlme); exact restricted
# likelihood-ratio tests (RLRsim); parametric bootstrap (pbkrtest)
lo_hi <- function(ci) data.frame(term=rownames(ci), lo=ci[,1], hi=ci[,2])
prof <- function(form, d) { m <- lme4::lmer(form, d, REML=FALSE, control=tight)
  pr <- profile(m, delta.cutoff=1/32, maxpts=400); lo_hi(confint(pr)) }
f3 <- function(d, v) { for (x in v) d[[x]] <- factor(d[[x]]); d }
a <- f3(read.csv(paste0(R,"a_crossover/data.csv")), c("subject","sequence","period","treatment"))
a2 <- f3(read.csv(paste0(R,"a2_crossover_missing/data.csv")), c("subject","sequence","period","treatment"))
b <- f3(read.csv(paste0(R,"b_boundary/data.csv")), c("subject","sequence","period","treatment"))
s <- read.csv(paste0(R,"c_sleepstudy/data.csv")); s$Subject <- factor(s$Subject)
e <- read.csv(paste0(R,"e_mmrm/data.csv"))
p <- read.csv(paste0(R,"x_pastes/data.csv"))
og <- read.csv(paste0(R,"x_orthodont/data.csv"))
cr <- y ~ treatment+period+sequence+(1|subject)
ctl <- lmeControl(opt="nlminb", tolerance=1e-12, msTol=1e-14, maxIter=500, msMaxIter=500)
gctl <- glsControl(tolerance=1e-12, msTol=1e-14, maxIter=500, msMaxIter=500)
o$profile <- list(a_crossover=prof(cr,a), a2_crossover_missing=prof(cr,a2), b_boundary=prof(cr,b),
  c_sleepstudy=prof(Reaction ~ Days+(Days|Subject), s), uncorrelated=prof(Reaction ~ Days+(Days||Subject), s),
  x_orthodont=prof(distance ~ age*Sex+(age|Subject), og), x_pastes=prof(strength ~ 1+(1|batch/cask), p))


iv2 <- function(m) { i <- tryCatch(intervals(m, which="var-cov"), error=function(e) conditionMessage(e)); i }
rows <- function(x) { x <- as.data.frame(unclass(x)); cbind(term=rownames(x), setNames(x, c("lo","est","hi"))) }
pick <- function(m) { i <- iv2(m); if (is.character(i)) return(i); out <- list()
  if (!is.null(i$reStruct)) out$random <- lapply(i$reStruct, rows)
  if (!is.null(i$corStruct)) out$correlation <- rows(i$corStruct)
  if (!is.null(i$varStruct)) out$ratio <- rows(i$varStruct)
  out$sigma <- as.numeric(i$sigma); out$logLik <- as.numeric(logLik(m)); out }
both <- function(f) list(REML=pick(f("REML")), ML=pick(f("ML")))
o$wald <- list(
  a_crossover=both(function(k) lme(y ~ treatment+period+sequence, random=~1|subject, data=a, method=k, control=ctl)),
  c_sleepstudy=both(function(k) lme(Reaction ~ Days, random=~Days|Subject, data=s, method=k, control=ctl)),
  orthodont_ar1=both(function(k) gls(distance ~ age*Sex, correlation=corAR1(form=~1|Subject), data=og, method=k, control=gctl)),
  orthodont_symm=both(function(k) gls(distance ~ age*Sex, correlation=corSymm(form=~1|Subject), data=og, method=k, control=gctl)),
  orthodont_ri_ar1=both(function(k) lme(distance ~ age*Sex, random=~1|Subject, correlation=corAR1(form=~1|Subject), data=og, method=k, control=ctl)))
# second derivatives by automatic differentiation (glmmTMB): log variance of rows, log deviations
# and a transformed correlation t = r / sqrt(1 - r^2); nlme's are by differences
tmb <- function(k) { m <- suppressWarnings(glmmTMB::glmmTMB(Reaction~Days+(Days|Subject), s, REML=k))
  p <- m$sdr$par.fixed; i <- names(p) %in% c("betadisp","betad","theta"); list(estimate=unname(p[i]), se=unname(sqrt(diag(m$sdr$cov.fixed))[i])) }
o$glmmTMB <- list(version=as.character(packageVersion("glmmTMB")), c_sleepstudy=list(REML=tmb(TRUE), ML=tmb(FALSE)))
# likelihood-ratio tests
set.seed(1)
rl <- function(m, n=4e5) { x <- exactRLRT(m, nsim=n, seed=20260801); list(statistic=unname(x$statistic), p=x$p.value, nsim=n, p0=mean(x$sample==0), q95=unname(quantile(x$sample, .95))) }
lm1 <- function(f, d) lme4::lmer(f, d, REML=TRUE, control=tight)
o$rlrt <- list(a_crossover=rl(lm1(cr,a)), b_boundary=rl(lm1(cr,b)))
set.seed(77); w <- a; w$y <- round(0.55*rnorm(28)[as.integer(w$subject)] + rnorm(56), 4)
o$weak_y <- w$y
o$rlrt$weak <- rl(lm1(cr,w)); o$rlrt$weak_missing <- rl(lm1(cr, w[-c(3,8,21,30,44,53),]))
m1 <- lme4::lmer(cr, a, REML=FALSE, control=tight); m0 <- update(m1, . ~ . - treatment)
a2w <- w[-c(3,8,21,30,44,53),]
pb <- function(form, term, d, n=2000) { m1 <- lme4::lmer(form, d, REML=FALSE, control=tight); m0 <- update(m1, as.formula(paste(". ~ . -", term)))
  x <- suppressWarnings(suppressMessages(PBmodcomp(m1, m0, nsim=n, seed=11)))$test
  c(list(term=term, nsim=n), list(stat=x["LRT","stat"], df=x["LRT","df"], p_chisq=x["LRT","p.value"], p_boot=x["PBtest","p.value"])) }
o$pb <- list(crossover=pb(cr,"sequence",a), weak=pb(cr,"treatment",a2w,2000))
an <- function(m0,m1) { x <- anova(m0,m1,refit=FALSE); list(stat=x$Chisq[2], df=x$Df[2], p=x[["Pr(>Chisq)"]][2]) }
s1 <- lm1(Reaction~Days+(1|Subject), s); s2 <- lm1(Reaction~Days+(Days||Subject), s); s3 <- lm1(Reaction~Days+(Days|Subject), s)
o$anova <- list(ri_slope=an(s1,s3), ri_apart=an(s1,s2), apart_joint=an(s2,s3), fixed=an(m0,m1))
wj(o,"ref.json")
