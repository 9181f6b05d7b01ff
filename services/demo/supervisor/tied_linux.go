package supervisor

import (
	"os/exec"
	"syscall"
)

// tie starts cmd with the kernel's parent-death signal; there is nothing to
// release.
func tie(cmd *exec.Cmd, death syscall.Signal) (release func(), err error) {
	cmd.SysProcAttr.Pdeathsig = death
	return func() {}, cmd.Start()
}
