// Command mutants plants bugs, one at a time, and runs the tests that should
// catch them (run it by `make mutants`). A bug that no test catches is reported
// as SURVIVED: the test for it is missing.
//
//	make mutants                         all of them
//	make mutants ARGS="-quick"           a subset of a few minutes
//	make mutants ARGS="-run ride"        those whose name or file matches
//	make mutants ARGS="-list"            the table alone
//
// A mutant is a row of the table: a text of a file and the wrong text in its
// place. The file on disk stays as it is: go test compiles the wrong one by its
// -overlay flag. A text that is not found exactly once is an error that names
// the mutant, since code moves; so is a mutant that does not compile, or tests
// that fail without it. In the page's own code (web/src) vitest plays go test's part,
// and loads the wrong text by web/planted.config.ts.
//
// What is caught in this way is that a rule has a test. That the tests find
// every fault, it does not show.
package main
