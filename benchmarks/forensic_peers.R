# Answer the papers of forensics.py with scrutiny, rsprite2 and statcheck: Rscript forensic_peers.R FOLDER
# Written like forensic_peers.py: a CSV of answers a program, and lines of JSON on standard output.
folder <- commandArgs(TRUE)[1]
numbers <- read.csv(file.path(folder, "numbers.csv"), colClasses = "character")
texts <- read.csv(file.path(folder, "texts.csv"), colClasses = "character")
numbers$n <- as.integer(numbers$n); numbers$items <- as.integer(numbers$items)
quiet <- function(code) suppressWarnings(suppressMessages(code))

tell <- function(name, package, alarms, seconds) {
  shown <- ifelse(is.na(alarms), "", as.integer(alarms))
  writeLines(c("alarm", shown), file.path(folder, paste0(name, ".csv")))
  cat(sprintf('{"name": "%s", "version": "%s", "us": %.3f, "error": ""}\n', name,
              as.character(packageVersion(package)), 1e6 * seconds / length(alarms)))
}
timed <- function(code) { at <- system.time(found <- code); list(found, sum(at[1:2])) }
each <- function(ask) vapply(seq_len(nrow(numbers)), function(i)
  tryCatch(quiet(!ask(numbers[i, ])), error = function(e) NA), NA)

if (requireNamespace("scrutiny", quietly = TRUE)) {
  one <- timed(each(function(row) scrutiny::grim(row$mean, row$n, items = row$items)))
  tell("scrutiny GRIM", "scrutiny", one[[1]], one[[2]])
  one <- timed(each(function(row) scrutiny::grimmer(row$mean, row$sd, row$n, items = row$items)))
  tell("scrutiny GRIMMER", "scrutiny", one[[1]], one[[2]])
}
if (requireNamespace("rsprite2", quietly = TRUE)) {
  digits <- function(text) nchar(sub("^[^.]*[.]?", "", text))
  one <- timed(each(function(row) rsprite2::GRIM_test(as.numeric(row$mean), row$n,
    m_prec = digits(row$mean), n_items = row$items)))
  tell("rsprite2 GRIM", "rsprite2", one[[1]], one[[2]])
  one <- timed(each(function(row) rsprite2::GRIMMER_test(as.numeric(row$mean), as.numeric(row$sd),
    row$n, m_prec = digits(row$mean), sd_prec = digits(row$sd), n_items = row$items,
    min_val = as.integer(row$low), max_val = as.integer(row$high))))
  tell("rsprite2 GRIMMER", "rsprite2", one[[1]], one[[2]])
}
if (requireNamespace("statcheck", quietly = TRUE)) {
  sentences <- setNames(texts$text, sprintf("p%05d", seq_len(nrow(texts))))
  one <- timed(quiet(statcheck::statcheck(sentences, messages = FALSE)))
  names(one[[1]]) <- tolower(names(one[[1]]))
  alarms <- as.logical(one[[1]]$error)[match(names(sentences), as.character(one[[1]]$source))]
  tell("statcheck.R", "statcheck", alarms, one[[2]])
}
