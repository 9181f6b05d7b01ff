package supervisor

import (
	"os/exec"
	"runtime"
	"syscall"
)

// Start starts cmd so that it gets the signal death when this process ends, also
// by kill -9. The channel delivers the result of cmd.Wait.
//
// The parent-death signal belongs to the thread that forked, not to the
// process: a thread that Go retires would take its children along. So each
// child has a thread of its own that does nothing but wait for it.
func Start(cmd *exec.Cmd, death syscall.Signal) (<-chan error, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}

	// With a process group of its own, the child does not get the terminal's
	// Ctrl-C: only this process does, and stops its children in order.
	cmd.SysProcAttr.Setpgid = true

	started, done := make(chan error, 1), make(chan error, 1)
	go func() {
		// The thread is never unlocked, so it ends with the goroutine.
		runtime.LockOSThread()
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
