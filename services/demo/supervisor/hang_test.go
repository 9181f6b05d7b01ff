package supervisor_test

import (
	"context"
	"errors"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tandem/services/demo/supervisor"
)

// patient is how long these tests wait at most.
const patient = 60 * time.Second

func TestAProcessThatHangsIsRestarted(t *testing.T) {
	s := newSupervisorWith(t, supervisor.Options{HungAfter: 2 * time.Second})
	spec := self("serve")
	url := listening(t, &spec)
	spec.Answers = spec.Ready
	require.NoError(t, s.Add(spec))
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	require.NoError(t, s.WaitReady(ctx))

	first := s.Status()[0].PID
	require.NoError(t, syscall.Kill(first, syscall.SIGSTOP))
	require.Eventually(t, func() bool {
		pid, err := get(url)
		return err == nil && pid != strconv.Itoa(first)
	}, patient, 50*time.Millisecond, "nobody restarted it")
	require.Contains(t, s.Status()[0].LastExit, "it hung: it answered nothing for 2")
}

// Whoever stops a process for a look finds it again as it was; and one that says
// that it is not ready is not hung.
func TestAShortStopAndAnUnreadyProcessAreLeftAlone(t *testing.T) {
	s := newSupervisorWith(t, supervisor.Options{HungAfter: 30 * time.Second})
	spec := self("serve")
	url := listening(t, &spec)
	asked := make(chan struct{}, 1000)
	spec.Answers = func(ctx context.Context) error {
		_, err := get(url)
		asked <- struct{}{}
		return err
	}
	require.NoError(t, s.Add(spec))
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	require.NoError(t, s.WaitReady(ctx))

	pid := s.Status()[0].PID
	<-asked
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	<-asked
	<-asked
	require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
	<-asked
	<-asked
	st := s.Status()[0]
	require.Equal(t, []any{pid, 1, supervisor.Ready}, []any{st.PID, st.Starts, st.State})
}

// Without Answers, and while it has not answered yet, nobody is killed.
func TestAProcessThatNeverAnsweredIsStarting(t *testing.T) {
	s := newSupervisorWith(t, supervisor.Options{HungAfter: 100 * time.Millisecond})
	spec := self("stubborn")
	asked := make(chan struct{}, 1000)
	spec.Answers = func(context.Context) error { asked <- struct{}{}; return errors.New("not yet") }
	require.NoError(t, s.Add(spec))
	for range 20 {
		<-asked
	}
	require.Equal(t, 1, s.Status()[0].Starts)
}
