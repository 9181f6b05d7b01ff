// Package autoscale says how many workers a queue needs. Plan is a pure function
// of what was seen of the queue: it asks nothing, starts nothing and stops nothing.
// It stands alone: copy the folder and it builds.
//
// # Words
//
//   - backlog: the messages that wait, visible to whoever receives next. Delayed
//     messages are not among them: no worker could take them yet.
//   - in flight: received by a worker and not settled yet.
//   - rate: how many messages one worker takes in a time, Holds ÷ Handling. A
//     worker that holds 5 messages for 4 seconds each takes 75 a minute.
//   - scale out, scale in: to add workers, to retire one.
//   - warm-up: the time that new workers get before they count, and before more
//     are added.
//
// # Model
//
// It is target tracking, as AWS describes it for a queue: the acceptable backlog per
// worker is the acceptable latency times a worker's rate, and the workers that are
// wanted are the backlog divided by it.
// (https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-using-sqs-queue.html)
//
//	acceptable backlog per worker = Latency × Holds ÷ Handling
//	wanted by the backlog         = Visible ÷ acceptable backlog per worker, rounded up
//	wanted by the age             = warm workers × Oldest ÷ Latency, rounded up; only where Oldest > Latency
//	useful at most                = (Visible + InFlight) ÷ Holds, rounded up
//
//	want = min(max(by backlog, by age), useful at most), within Min and Max
//
// The second target, the age of the oldest message that waits, is for what the first
// cannot see: messages that take longer than Handling says. "Useful at most" is
// there because one old message is no reason for six workers: more of them than
// could hold all messages would have nothing to do.
//
// # Scale out and scale in
//
//	            want > workers, and none is on its way
//	   ┌────────────────────────────────────────────────► workers = want, at once
//	look
//	   └────────────────────────────────────────────────► workers − 1, after ScaleInAfter
//	            one fewer would do in every look of ScaleInAfter
//
// Out at once, because people wait; in slowly and one by one, because a worker too
// many costs little. AWS advises the same
// (https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html:
// scale out fast, scale in gradually).
//
// An empty queue does not say that there are too many workers: with just enough of
// them it is empty too. What says so is how much they hold. So one fewer would do
// only if the others had a fifth of their places free at what is in flight now
// (BusyShare). Target tracking on the backlog alone, as on AWS, has no such rule: it
// retires workers while the queue is empty until it fills, adds them, and so on.
//
// # Invariants
//
//   - Min <= Want <= Max, whatever the samples say.
//   - What is not known changes nothing, as long as Min and Max allow the workers that
//     there are: where the newest sample is without a Queue, or older than Fresh, Want is
//     their number, and Because says so. Without any sample Want is Min. A look that
//     failed also starts the wait for a scale-in again.
//   - Want never falls by more than one, and never below what is in flight:
//     Want × Holds >= InFlight wherever Want is less than Workers. (A Max that was
//     lowered is obeyed at once.)
//   - A longer backlog, or an older message, never leads to a smaller Want.
//   - After a scale-out no second one comes for WarmUp: until the new workers count,
//     the backlog grows because they are missing, and would be counted twice.
//   - From a change of the number of workers to the next scale-in at least ScaleInAfter
//     passes. Two changes of direction need one scale-in, so in a time T there are at
//     most 2 × T ÷ ScaleInAfter of them, however the load jumps.
//   - Under a load that stays the same Want comes to rest, and stays at rest.
//
// # What it leaves to others
//
// Plan says how many workers, not which. Whoever stops one must let it finish what it
// holds. And more workers help only where workers are what is missing. A database that
// is away leaves a backlog too: Max bounds what that costs.
package autoscale
