package shardgroup

import (
	"crypto/rand"
	"fmt"
	"os"
)

// WorkerID returns a Worker that is unique over restarts: a new process never
// takes itself for the one that died. Host and process id are for people.
func WorkerID() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), rand.Text()[:6])
}
