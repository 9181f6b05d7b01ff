package sqstest_test

import (
	"context"
	"fmt"
	"io"
	"time"

	"tandem/services/internal/queue/sqstest"
	"tandem/services/internal/queue/sqsworker"
)

// A test of a handler. It is done with the message, and SQS deletes it, but the answer is
// lost. The worker deletes it again, and to SQS that is no error. Later a server of SQS that
// had missed the delete delivers its copy: the handler has the message twice.
func Example() {
	f := sqstest.New()
	q := f.Queue("orders", sqstest.Settings{})
	q.Send("order 7")
	f.On("DeleteMessageBatch", sqstest.LoseAnswer(io.ErrUnexpectedEOF).Times(1))

	handled := make(chan string)
	charged := map[string]bool{} // in a program: a table with a unique key
	charge := sqsworker.HandlerFunc(func(_ context.Context, m sqsworker.Message) sqsworker.Result {
		if charged[string(m.Body)] {
			handled <- fmt.Sprintf("%s was charged before", m.Body)
			return sqsworker.Done()
		}
		charged[string(m.Body)] = true
		handled <- fmt.Sprintf("%s is charged", m.Body)
		return sqsworker.Done()
	})

	worker, err := sqsworker.New(sqsworker.Options{Client: f, Queue: "orders", Handler: charge})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- worker.Run(ctx) }()

	fmt.Println(<-handled)
	for len(f.Calls("DeleteMessageBatch")) < 2 { // with testing/synctest: synctest.Wait()
		time.Sleep(time.Millisecond)
	}
	q.Repeat("order 7")
	fmt.Println(<-handled)

	stop()
	fmt.Println("drained:", <-ended)
	fmt.Println("deletes:", f.Calls("DeleteMessageBatch")[0].Err != nil, f.Calls("DeleteMessageBatch")[1].Err)
	fmt.Println("left:", q.Len())
	// Output:
	// order 7 is charged
	// order 7 was charged before
	// drained: <nil>
	// deletes: true <nil>
	// left: 0
}
