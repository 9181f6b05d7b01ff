package lifecycle

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/term"
)

// Logger returns the one logger of a process: JSON lines, or colours where w is
// a terminal. It names the service and its pid on every line. level is debug, info, warn or error; empty is info.
func Logger(w io.Writer, service, level string) (*slog.Logger, error) {
	var l slog.Level
	if level == "" {
		level = "info"
	}

	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q is not known; use debug, info, warn or error", level)
	}

	return slog.New(handler(w, l)).With("service", service, "pid", os.Getpid()), nil
}

func handler(w io.Writer, l slog.Level) slog.Handler {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return tint.NewTextHandler(w, &tint.Options{Level: l, TimeFormat: time.TimeOnly})
	}
	return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l})
}
