package main

// tools has a field for each subcommand that runs, prints and ends.
type tools struct{}
