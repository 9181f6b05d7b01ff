// Package console is the operations API: it looks at every part of Tandem
// while it runs and says in one sentence whether all is well.
//
// It keeps nothing and touches nothing: counts come from SQS's own attributes,
// the rest from each service's GET /v1/status. A part that does not answer is
// part of the picture, not an error of the console. Answers are gathered when
// somebody asks and shared for a moment, so many open consoles cost no more
// than one, and none costs nothing.
package console
