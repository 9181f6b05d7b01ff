// Package tutorial keeps docs/tutorial true. Its tests read the chapters, and
//
//   - cut every excerpt from the source again and compare the two;
//   - follow every link and anchor;
//   - look for words that are in no list;
//   - with TANDEM_TUTORIAL=1 (make tutorial) run every command, in the chapter's order, on
//     a demo of its own, and hold what it prints against what the chapter says.
//
// # What a chapter is written in
//
// A block of commands has the language sh. They run in bash, in the repository's folder;
// what they export stays for the chapter's later blocks. A block that begins with
// "# in a second terminal" runs beside the others until another such block takes its
// place, as the demo does from chapter to chapter; one with "# in a third terminal" runs
// until its chapter ends. Neither has what the others export. Both count as done once they
// have printed what they are to print.
//
// A block that begins with "# with Docker", "# with the AWS CLI" or "# with Python, boto3"
// is run only where that is; elsewhere the test says loudly that it was not run. Before
// one with Docker the demo in the second terminal is ended.
//
// The text block after commands is what they print. Each of its lines stands for one line,
// in this order; other lines may stand between them only where it has a line "…". Within a
// line "…" is any text, ⟨name⟩ is a whole number that is remembered, and one space is as
// good as several. A comment after the block says what must be true of the numbers that
// were remembered in the chapter:
//
//	<!-- law: anna + ben == 20 -->
//
// An excerpt is a go block whose first line names its source:
//
//	// services/dispatch/worker.go: receive
//
// It is what stands there between the lines "//excerpt:receive" and "//excerpt:end".
//
// # While one writes
//
// Where chapters are run alone (make tutorial ARGS="-run Commands/03") the second terminal
// gets what the chapters before have left there. With TANDEM_TUTORIAL=running the second
// terminal's blocks are left out, and the demo is one that runs already, which TANDEM_DATA
// names. TANDEM_WORDS=write writes words.txt anew.
package tutorial
