source("../common.R")
set.seed(101); sq <- rbind(c("A","B","C"),c("B","C","A"),c("C","A","B"),c("A","C","B"),c("B","A","C"),c("C","B","A")); n <- 14
d <- expand.grid(period=1:3, subject=1:n); s <- rep_len(1:6, n); d$sequence <- apply(sq,1,paste,collapse="")[s[d$subject]]; d$treatment <- sq[cbind(s[d$subject], d$period)]
d$base <- round(rnorm(n)[d$subject] + rnorm(nrow(d),0,.5), 4); d$y <- round(10 + (d$treatment=="C") + .3*d$period + .5*d$base + rnorm(n,0,1.2)[d$subject] + rnorm(nrow(d)), 6); d <- keep(d[-sample(nrow(d),4),])
d$period <- factor(d$period); for (v in c("sequence","treatment")) d[[v]] <- factor(d[[v]])
saved(
  lmer_fit(y ~ treatment + period + sequence + (1|subject), d, c("treatment","period")),
  interaction=lmer_fit(y ~ base * treatment + period + (1|subject), d, "treatment"),
  nested=lmer_fit(y ~ treatment + (1|sequence) + (1|sequence:subject), d, "treatment"),
  us=gls_fit(y ~ treatment + period + sequence, d, corSymm(form=~as.integer(period)|subject), varIdent(form=~1|period)),
  cs=gls_fit(y ~ treatment + period + sequence, d, corCompSymm(form=~1|subject)),
  ar1=gls_fit(y ~ treatment + period + sequence, d, corAR1(form=~as.integer(period)|subject)))
