//go:build !linux

package emulator_test

import "errors"

func mountSmall(string) error { return errors.New("it is done on Linux alone") }
