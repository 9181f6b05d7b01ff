// Package simulated tries an autoscale.Policy on a load before production does: a
// queue and its workers, second by second, in a few lines and without a clock. The
// same seed makes the same run.
//
// What it leaves out: a message that is received twice, a worker that dies with
// messages in flight, and SQS's own approximations. A worker that is retired takes
// no more and finishes what it holds.
package simulated
