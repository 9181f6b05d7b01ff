package main

import "slices"

// table has every mutant, by subject.
func table() []mutant {
	return slices.Concat(rides(), work(), queues(), streams(), front(), readers(), emulators(), compares(), pages(), demo(), scales(), deadLetters(), traces())
}
