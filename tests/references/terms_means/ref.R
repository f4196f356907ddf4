# Terms and marginal means: lmerTest's anova of types 1, 2 and 3, emmeans, its contrasts,
# emtrends and joint_tests. `Rscript ref.R` in this folder writes the data and ref.json
source("../common.R"); emm_options(msg.interaction=FALSE)
fac <- function(d, ...) { for (v in c(...)) d[[v]] <- factor(as.character(d[[v]])); d }
set.seed(42); n <- 24
person <- data.frame(subject=sprintf("s%02d", 1:n), arm=rep(c("P","Q","R"), c(6,8,10)),
  sex=sample(c("F","M"), n, TRUE, c(.6,.4)), x=round(rnorm(n,5,2),2), u=rnorm(n))
uneven <- merge(person, data.frame(visit=1:3)); uneven <- uneven[order(uneven$subject, uneven$visit),]
uneven$y <- round(with(uneven, 10 + .3*x + u + .8*(arm=="R")*visit + .4*visit + .5*(sex=="M") + rnorm(nrow(uneven))), 3)
uneven$u <- NULL; uneven <- uneven[-sort(sample(nrow(uneven), 11)),]
data(Orthodont, package="nlme"); data(Machines, package="nlme"); data(Oats, package="nlme"); data(ergoStool, package="nlme")
machines <- as.data.frame(Machines)[-c(1,5,6,20,33,47),]
cross <- read.csv("../a2_crossover_missing/data.csv")
D <- list(orthodont=as.data.frame(Orthodont), cake=as.data.frame(cake)[,c("replicate","recipe","temp","angle")], machines=machines,
  oats=as.data.frame(Oats), ergo=as.data.frame(ergoStool), cross=cross, uneven=uneven, holes=uneven[!(uneven$arm=="R" & uneven$visit==3),])
for (k in names(D)) write.csv(D[[k]], paste0(k, ".csv"), row.names=FALSE, quote=FALSE)
D <- lapply(setNames(names(D), names(D)), function(k) read.csv(paste0(k, ".csv")))
D$machines <- fac(D$machines, "Worker"); D$cake <- fac(D$cake, "replicate", "recipe"); D$cross <- fac(D$cross, "period"); D$cake$temp_f <- factor(D$cake$temp)
D$uneven$visit_f <- factor(D$uneven$visit); D$holes$visit_f <- factor(D$holes$visit); D$oats$nitro_f <- factor(D$oats$nitro)
# name: data, formula here, formula in R, whether type 3 is asked for
M <- list(
  orthodont=list("orthodont","distance ~ age * Sex + (1 | Subject)", distance ~ age*Sex + (1|Subject), TRUE),
  orthodont_slopes=list("orthodont","distance ~ age * Sex + (age | Subject)", distance ~ age*Sex + (age|Subject), TRUE),
  orthodont_log=list("orthodont","distance ~ np.log(age) * Sex + (1 | Subject)", distance ~ log(age)*Sex + (1|Subject), TRUE),
  orthodont_poly=list("orthodont","distance ~ poly(age, 2) * Sex + (1 | Subject)", distance ~ poly(age,2)*Sex + (1|Subject), FALSE),
  cake=list("cake","angle ~ recipe * C(temp) + (1 | recipe:replicate)", angle ~ recipe*temp_f + (1|recipe:replicate), TRUE),
  cake_number=list("cake","angle ~ recipe + temp + I(temp ** 2) + (1 | recipe:replicate)", angle ~ recipe + temp + I(temp^2) + (1|recipe:replicate), TRUE),
  machines=list("machines","score ~ Machine + (Machine | Worker)", score ~ Machine + (Machine|Worker), TRUE),
  oats=list("oats","yield ~ Variety * C(nitro) + (1 | Block/Variety)", yield ~ Variety*nitro_f + (1|Block/Variety), TRUE),
  ergo=list("ergo","effort ~ Type + (1 | Subject)", effort ~ Type + (1|Subject), TRUE),
  cross=list("cross","y ~ treatment + C(period) + sequence + (1 | subject)", y ~ treatment + period + sequence + (1|subject), TRUE),
  uneven=list("uneven","y ~ arm * C(visit) + x + sex + (1 | subject)", y ~ arm*visit_f + x + sex + (1|subject), TRUE),
  uneven_three=list("uneven","y ~ arm * C(visit) * sex + (1 | subject)", y ~ arm*visit_f*sex + (1|subject), TRUE),
  uneven_slopes=list("uneven","y ~ arm * x + C(visit) + (1 | subject)", y ~ arm*x + visit_f + (1|subject), TRUE),
  holes=list("holes","y ~ x + arm * C(visit) + (1 | subject)", y ~ x + arm*visit_f + (1|subject), FALSE))
F <- lapply(M, function(m) eval(bquote(lmerTest::lmer(.(m[[3]]), D[[.(m[[1]])]], control=tight))))
anovas <- lapply(setNames(names(M), names(M)), function(k) { m <- F[[k]]
  types <- if (M[[k]][[4]]) 1:3 else 1:2
  list(data=M[[k]][[1]], formula=M[[k]][[2]], anova=lapply(setNames(types, paste0("type", types)), function(t)
    list(satterthwaite=anv(m,"Satterthwaite",t), "kenward-roger"=anv(m,"Kenward-Roger",t)))) })
df_ <- function(s) as.data.frame(summary(s))
both <- function(f) list("kenward-roger"=f("kenward-roger"), satterthwaite=f("satterthwaite"))
emm <- function(k, ...) both(function(mode) df_(emmeans(F[[k]], ..., lmer.df=mode, data=D[[M[[k]][[1]]]])))
con <- function(k, spec, method, adjust, ..., reverse=FALSE) both(function(mode) as.data.frame(summary(contrast(
  emmeans(F[[k]], spec, lmer.df=mode, data=D[[M[[k]][[1]]]], ...), method, adjust=adjust), infer=c(TRUE,TRUE))))
trend <- function(k, spec, var, ...) both(function(mode) as.data.frame(summary(emtrends(F[[k]], spec, var=var, lmer.df=mode, data=D[[M[[k]][[1]]]], ...), infer=c(TRUE,TRUE))))
means <- list(
  uneven_arm=emm("uneven", ~arm), uneven_arm_proportional=emm("uneven", ~arm, weights="proportional"),
  uneven_arm_cells=emm("uneven", ~arm, weights="cells"), uneven_cells=emm("uneven", ~arm:visit_f),
  uneven_by=emm("uneven", ~arm|visit_f, at=list(x=4)), uneven_at=emm("uneven", ~arm, at=list(x=7, sex="F", visit_f=c("1","3"))),
  uneven_numbers=emm("uneven", ~x|arm, at=list(x=c(2,8))), uneven_overall=emm("uneven", ~1),
  holes_arm=emm("holes", ~arm), holes_visit=emm("holes", ~visit_f), holes_cells=emm("holes", ~arm:visit_f),
  orthodont_log=emm("orthodont_log", ~Sex), orthodont_poly=emm("orthodont_poly", ~Sex),
  orthodont_poly_at=emm("orthodont_poly", ~Sex, at=list(age=13)), cake_number=emm("cake_number", ~recipe),
  oats=emm("oats", ~Variety:nitro_f), machines=emm("machines", ~Machine))
adjusts <- c("none","tukey","holm","hochberg","bonferroni","sidak","fdr","BY")
pairs_ <- list()
for (a in adjusts) { pairs_[[paste0("uneven_arm.",a)]] <- con("uneven", ~arm, "pairwise", a)
  pairs_[[paste0("uneven_by.",a)]] <- con("uneven", ~arm|visit_f, "pairwise", a)
  pairs_[[paste0("cake_temp.",a)]] <- con("cake", ~temp_f, "pairwise", a)
  pairs_[[paste0("machines.",a)]] <- con("machines", ~Machine, "pairwise", a) }
pairs_[["uneven_cells.tukey"]] <- con("uneven", ~arm:visit_f, "pairwise", "tukey")
contrasts_ <- list(reference=con("uneven", ~arm, "trt.vs.ctrl1", "none"), consecutive=con("uneven", ~visit_f, "consec", "none"),
  effect=con("uneven", ~arm, "eff", "none"), polynomial=con("cake", ~temp_f, "poly", "none"),
  polynomial_by=con("uneven", ~visit_f|arm, "poly", "none"))
trends <- list(uneven_slopes=trend("uneven_slopes", ~arm, "x"), orthodont=trend("orthodont", ~Sex, "age"),
  orthodont_log=trend("orthodont_log", ~Sex, "age", at=list(age=10), delta.var=1e-6),
  orthodont_poly=trend("orthodont_poly", ~Sex, "age", at=list(age=13), delta.var=1e-6),
  uneven_slopes_pairs=both(function(mode) as.data.frame(summary(pairs(emtrends(F$uneven_slopes, ~arm, var="x", lmer.df=mode, data=D$uneven), adjust="tukey"), infer=c(TRUE,TRUE)))))
jt <- function(k, by=NULL) { m <- F[[k]]; j <- joint_tests(m, by=by, lmer.df="satterthwaite", data=D[[M[[k]][[1]]]])
  rows <- list(); L <- attr(j, "est.fcns"); L <- L[lengths(L) > 0]
  for (term in names(L)) for (g in if (is.list(L[[term]])) names(L[[term]]) else "") { l <- if (g == "") L[[term]] else L[[term]][[g]]
    kr <- pbkrtest::KRmodcomp(as(m,"lmerMod"), l)$test["Ftest",]; sa <- lmerTest::contestMD(m, l)
    rows[[length(rows)+1]] <- data.frame(term=term, by=g, num_df=kr$ndf, F.kr=kr$stat, df.kr=kr$ddf, p.kr=kr$p.value,
      F.satterthwaite=sa$`F value`, df.satterthwaite=sa$DenDF, p.satterthwaite=sa$`Pr(>F)`) }
  list(emmeans=as.data.frame(j), tests=do.call(rbind, rows)) }
joint <- list(uneven=jt("uneven"), uneven_by=jt("uneven", "visit_f"), uneven_three_by=jt("uneven_three", "sex"), cake_by=jt("cake", "recipe"), uneven_slopes=jt("uneven_slopes"))
q <- c(0.5,1,2,3,3.5,4,5,7,10,30); k <- c(2,3,4,6,10,20); v <- c(2,3.3,5,10,26.4,80,500,Inf)
g <- expand.grid(q=q,k=k,df=v); g$p <- with(g, ptukey(q,k,df,lower.tail=FALSE)); g$df[is.infinite(g$df)] <- -1
h <- expand.grid(level=c(.9,.95,.99),k=k,df=v); h$q <- with(h, qtukey(level,k,df)); h$df[is.infinite(h$df)] <- -1
mv <- function(k, spec, df) { e <- contrast(emmeans(F[[k]], spec, lmer.df="satterthwaite", data=D[[M[[k]][[1]]]]), "trt.vs.ctrl1")
  V <- vcov(e); R <- cov2cor(V); t <- df_(e)$t.ratio; set.seed(1)
  a <- mvtnorm::GenzBretz(maxpts=5e5, abseps=1e-6)
  list(df=df, corr=R, t=t, p=sapply(abs(t), function(z) 1-mvtnorm::pmvt(rep(-z,length(t)), rep(z,length(t)), df=df, corr=R, algorithm=a)[1]),
    critical=mvtnorm::qmvt(.95, tail="both.tails", df=df, corr=R)$quantile) }
wj(list(versions=vers("mvtnorm"), models=anovas, means=means, pairs=pairs_, contrasts=contrasts_, trends=trends, joint=joint,
  ptukey=g, qtukey=h, mvt=list(uneven=mv("uneven", ~arm, 20), cake=mv("cake", ~temp_f, 200))), "ref.json")
