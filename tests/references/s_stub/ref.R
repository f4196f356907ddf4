source("../common.R")
set.seed(209); d <- data.frame(subject=rep(paste0("P-",c(10,9,8,7,6,5,4,3,2,1)), c(3,1,2,3,1,2,3,2,1,3))); d$visit <- ave(seq_len(nrow(d)), d$subject, FUN=seq_along); d$arm <- ifelse(d$subject %in% paste0("P-",c(1,4,6,8,10)), "zeta","alpha"); u <- rnorm(10); d$y <- round(u[match(d$subject, unique(d$subject))] + .5*d$visit + (d$arm=="zeta") + rnorm(nrow(d),0,.8), 4); d <- keep(d[sample(nrow(d)),])
saved(
  lmer_fit(y ~ arm + visit + (1|subject), d, "arm"),
  slope=lmer_fit(y ~ visit + (0 + visit|subject), d),
  ar1=gls_fit(y ~ arm + visit, d, corAR1(form=~visit|subject)))
