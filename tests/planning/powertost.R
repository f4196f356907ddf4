# Writes powertost.csv, with PowerTOST 1.5-7 on R 4.2.2: Rscript powertost.R > powertost.csv
library(PowerTOST)

number <- function(x) sprintf("%.12g", x)
row <- function(...) cat(paste(..., sep = ","), "\n", sep = "")
asked <- c("2x2", "3x3", "3x6x3", "4x4", "2x2x3", "2x2x4", "2x3x3", "2x4x4", "parallel", "paired")

row("call", "design", "n", "cv", "theta0", "low", "high", "alpha", "target", "expected")
for (d in asked) {
  for (a in list(list(.3, .95, 24, .05), list(.15, 1.05, 12, .025), list(.6, 1, 144, .05))) {
    found <- power.TOST(CV = a[[1]], theta0 = a[[2]], n = a[[3]], alpha = a[[4]], design = d)
    row("tost", d, a[[3]], a[[1]], a[[2]], .8, 1.25, a[[4]], "", number(found))
  }
}
uneven <- list(
  "2x2" = c(15, 12), "3x3" = c(9, 6, 12), "4x4" = c(5, 7, 9, 4), "2x2x3" = c(9, 14),
  "2x2x4" = c(20, 9), "2x3x3" = c(12, 9, 7), "2x4x4" = c(5, 5, 6, 3), "parallel" = c(40, 70),
  "3x6x3" = c(4, 5, 3, 4, 6, 4)
)
for (d in names(uneven)) {
  found <- power.TOST(CV = .25, theta0 = .97, n = uneven[[d]], design = d)
  row("tost", d, paste(uneven[[d]], collapse = " "), .25, .97, .8, 1.25, .05, "", number(found))
}
for (d in c("2x2", "parallel", "2x2x4", "paired")) {
  found <- power.TOST(
    CV = 1.2, theta0 = .2, theta1 = -1, theta2 = 1, n = 40, design = d, logscale = FALSE
  )
  row("tost_raw", d, 40, 1.2, .2, -1, 1, .05, "", number(found))
}
for (d in asked) {
  words <- list(CV = .35, theta0 = .93, targetpower = .9, design = d, print = FALSE)
  row("tost_n", d, "", .35, .93, .8, 1.25, .05, .9, do.call(sampleN.TOST, words)[["Sample size"]])
  row("noninf_n", d, "", .35, .93, .8, "", .025, .9, do.call(sampleN.noninf, words)[["Sample size"]])
}
for (d in c("2x2", "3x3", "2x2x4", "parallel")) {
  for (a in list(c(.95, .8), c(1.05, 1.25))) {
    found <- power.noninf(CV = .3, theta0 = a[1], margin = a[2], n = 36, design = d)
    row("noninf", d, 36, .3, a[1], a[2], "", .025, "", number(found))
  }
}
for (d in c("2x2", "2x2x4", "3x3", "parallel")) {
  n <- if (d == "3x3") 27 else 26
  row("cv", d, n, "", "", .91, 1.15, .05, "", number(CVfromCI(lower = .91, upper = 1.15, n = n, design = d)))
}
found <- CVfromCI(lower = .91, upper = 1.15, n = c(14, 11), design = "2x2")
row("cv", "2x2", "14 11", "", "", .91, 1.15, .05, "", number(found))
for (d in c("2x2", "3x3", "3x6x3", "4x4", "2x2x3", "2x2x4", "2x3x3", "2x4x4", "paired", "parallel")) {
  n <- if (d %in% names(uneven)) uneven[[d]] else 14
  found <- power.TOST(CV = .25, theta0 = .97, n = n, design = d, robust = TRUE)
  row("robust_tost", d, paste(n, collapse = " "), .25, .97, .8, 1.25, .05, "", number(found))
  found <- power.noninf(CV = .4, theta0 = .95, margin = .8, n = n, design = d, robust = TRUE)
  row("robust_noninf", d, paste(n, collapse = " "), .4, .95, .8, "", .025, "", number(found))
  words <- list(
    CV = .15, theta0 = .97, targetpower = .8, design = d, robust = TRUE, print = FALSE
  )
  found <- do.call(sampleN.TOST, words)[["Sample size"]]
  row("robust_tost_n", d, "", .15, .97, .8, 1.25, .05, .8, found)
  words <- c(words, margin = .8)
  found <- do.call(sampleN.noninf, words)[["Sample size"]]
  row("robust_noninf_n", d, "", .15, .97, .8, "", .025, .8, found)
}
found <- CVfromCI(lower = .91, upper = 1.15, n = 27, design = "3x3", robust = TRUE)
row("robust_cv", "3x3", 27, "", "", .91, 1.15, .05, "", number(found))
