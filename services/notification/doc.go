// Package notification tells riders what happens to their rides: it consumes
// notifications.fifo (group = ride, so nobody reads "arrived" before
// "assigned") and writes to the rider's inbox, and by SMS where the rider left
// a phone number and has verified it.
//
// Each event is delivered once on each channel however often its message
// comes: the key of notification.deliveries is (event, channel). The inbox row
// and its delivery commit together, so the inbox is exactly once. An SMS cannot be
// part of a transaction: its delivery is claimed before the send and marked after
// it. If the worker dies in between, or Postgres is away when the SMS is to be marked,
// the next worker sends it a second time: at least once, as long as the rider keeps the
// number and the message does not become a dead letter.
//
// A text bears Tandem's name and costs money. So it consists of fixed sentences and
// nobody's words (text.go); nothing but a code goes to a number before the rider has
// told the code that was sent there (verifier); and a rider's texts and codes are
// capped a day. A text beyond the cap is settled as not_sent, which
// notification_sms_capped_total counts; the inbox has the notice all the same. A
// process sends at most Config.TextsPerSecond texts a second; the others wait.
//
// A received message is hidden for a few seconds only (Profile.NoticeVisibility),
// and a heartbeat keeps the one whose work takes longer: a receive whose answer was
// lost delays its ride's notices no more than that.
//
// What happens when:
//
//   - A message cannot be read, or is about no ride: it is a dead letter at once, with
//     the reason.
//   - Postgres or SNS is away: that is no failure of a message. The worker keeps what it
//     has, tries again, and receives nothing more until they are back.
//   - SNS refuses a text for good: its delivery is marked failed, and not tried again.
//   - Another worker has claimed the SMS less than NoticeVisibility ago: the message is
//     retried, and finds the SMS sent or the claim old.
//   - Something else fails: the message is retried, after a longer time with each try.
//     After the fifth it is a dead letter with its reason, and the ride's next notices
//     go on.
package notification
