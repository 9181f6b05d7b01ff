package testenv

import (
	"fmt"
	"log"
	"os"
	"slices"
	"testing"
)

// Example returns a testing.TB for an Example, which gets none from the testing
// package, so that Database and Emulator can be used there. stop undoes what they
// did. A failure panics.
func Example() (tb testing.TB, stop func()) {
	e := &example{}
	return e, e.stop
}

// example has the methods that testenv and require call; any other panics,
// because the embedded TB is nil.
type example struct {
	testing.TB
	cleanups []func()
}

func (e *example) Helper()                           {}
func (e *example) Log(args ...any)                   { log.Print(args...) }
func (e *example) Logf(format string, args ...any)   { log.Printf(format, args...) }
func (e *example) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (e *example) FailNow()                          { panic("the example cannot go on") }
func (e *example) Cleanup(f func())                  { e.cleanups = append(e.cleanups, f) }

func (e *example) TempDir() string {
	// Two levels: startServer opens the upper one to the server's user.
	root, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	e.Cleanup(func() { _ = os.RemoveAll(root) })

	dir := root + "/001"
	if err := os.Mkdir(dir, 0o755); err != nil {
		panic(err)
	}
	return dir
}

// stop runs the cleanups as a test does, the last one first.
func (e *example) stop() {
	for _, f := range slices.Backward(e.cleanups) {
		f()
	}
}
