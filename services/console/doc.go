// Package console is the operations API: it looks at every part of Tandem
// while it runs and says in one sentence whether all is well.
//
// It stores nothing and changes nothing: counts come from SQS's own attributes,
// the rest from each service's GET /v1/status. A part that does not answer is
// shown as such and is no error of the console. Answers are gathered when
// somebody asks and shared for a moment: many open consoles cost no more than
// one, and a closed one costs nothing.
package console
