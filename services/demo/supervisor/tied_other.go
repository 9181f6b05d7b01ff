//go:build unix && !linux

package supervisor

import (
	"os/exec"
	"strconv"
	"syscall"
)

// tie starts cmd and a shell beside it that reads from a pipe of this process.
// When this process ends, the kernel closes the pipe; the shell's read then ends,
// and the shell signals the child. release ends the shell.
func tie(cmd *exec.Cmd, death syscall.Signal) (release func(), err error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}

	guard := exec.Command("/bin/sh", "-c", `read _; kill -"$1" "$2"`, "sh",
		strconv.Itoa(int(death)), strconv.Itoa(cmd.Process.Pid))
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}

	pipe, err := guard.StdinPipe()
	if err == nil {
		err = guard.Start()
	}

	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, err
	}

	return func() {
		_ = guard.Process.Kill()
		_ = guard.Wait()
		_ = pipe.Close()
	}, nil
}
