package supervisor

import (
	"os/exec"
	"runtime"
	"syscall"
)

// Start starts cmd so that it gets the signal death when this process ends in
// whatever way, kill -9 included. The channel delivers the result of cmd.Wait.
//
// The parent-death signal belongs to the thread that forked, not to the
// process: a thread that Go retires would take its children along. So each
// child has a thread of its own that does nothing but wait for it.
func Start(cmd *exec.Cmd, death syscall.Signal) (<-chan error, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	// A group of its own: Ctrl-C in a terminal reaches this process alone,
	// which then stops its children in order.
	cmd.SysProcAttr.Setpgid = true
	started, done := make(chan error, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its child
		release, err := tie(cmd, death)
		started <- err
		if err != nil {
			return
		}
		err = cmd.Wait()
		release()
		done <- err
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return done, nil
}
