// Package compare is behind the page Six maps: the same points on a queue and on a
// stream, read by the same three teams. Everything on it is real: messages that are
// received and deleted, records that are read from shards. Nothing is simulated, and
// every count is a reader's own.
//
// # Words
//
//   - session: what runs while somebody looks, from the first viewer until half a
//     minute after the last one has left. There is one at a time, and all viewers see the same.
//   - tee: the reader of driver-locations that copies what 50 drivers send. It numbers
//     the points from 1 on; N is the newest number that it has handed to both sides.
//   - team: one reader of one side with a table of its own, in memory: map, history,
//     heatmap, and later a newcomer.
//   - table: the points that a team has, by number, each with a digest of the bytes
//     that arrived. Emptying it begins its next generation.
//
// # Model
//
//	                      ┌─> {compare-points} ──> map, history, heatmap, newcomer: a reader each
//	driver-locations ─tee─┤
//	                      ├─> [compare-points] ──> the same four compete: one queue
//	                      └─> (compare-points) ──> [compare-map] [compare-history] [compare-heatmap] [compare-newcomer]
//	                           the topic, after the step "sns" instead of the queue
//	40 jobs ─┬─> [compare-jobs] ──> four workers ──> [compare-jobs-dlq]
//	         └─> {compare-jobs}, one shard ──> one worker, in order
//
// # What always holds
//
//   - A point has the same bytes on both sides, and its number once. What the tee does
//     not number is not part of the session, and N does not count it.
//   - The tee hands over the points after number n only when both sides have
//     acknowledged those up to n. It sends again until they have: so at rest each point
//     is on both sides at least once. One call has one point of a car at most, so a
//     car's points are in order on its shard.
//   - A team counts a point once, however often it arrives; repeats are counted apart.
//     On the queue a repeat may reach another team: overlap is how many points more
//     than one team has, counted once for each team too many. While the teams share the
//     queue and nothing was lost, at rest: the sum of what they have = N + overlap.
//   - A team of the stream that joins late, or has lost its table, reads the stream
//     from the session's beginning: at rest it has N.
//   - A message is deleted after its point is in the team's table.
//   - Nothing reads, sends or runs once nobody has looked for half a minute.
//
// # Who may press
//
// A session is shared, because its queues are. So that nobody changes another's page
// at will, the viewer for whom it began presses the buttons, and the others watch. Once
// that viewer has left, whoever presses next has them.
//
// # Failure by failure
//
//   - The last viewer leaves: the session ends half a minute later, so that who comes back
//     before finds it. Who is silent for 6 s no longer has the buttons. What is left on the queues expires after five minutes; a later session's readers
//     delete what is not their own, and never count it.
//   - This process dies: its tables are gone, and the next look begins a new session.
//     A subscription that it has left behind is ended before it could be seen.
//   - SQS, SNS or Kinesis is away: the tee keeps up to 2,000 points that it has
//     numbered, and numbers no more until they are sent. Readers go on by themselves
//     where they were.
//   - The answer to a send is lost: the same point is sent again, on either side. It is
//     a repeat there, and counted as one.
//   - The stream is recreated: what was on it is lost, and the right says so by having
//     less than N.
//   - 30,000 points (ten minutes): the tee stops, so that no table grows without end.
//   - A second process of this service: its readers would take the messages of the
//     first. There must be one; deploy it so that the old one ends before.
package compare
