package apitest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryAnswerHasAnExample is for all routes: the file names each answer with its
// body, and each body has an example. That an example is as its schema says,
// Description requires.
func TestEveryAnswerHasAnExample(t *testing.T) {
	t.Parallel()
	for path, item := range Description(t).Paths.Map() {
		for method, op := range item.Operations() {
			for status, answer := range op.Responses.Map() {
				for kind, media := range answer.Value.Content {
					require.True(t, status == "default" || media.Example != nil || len(media.Examples) > 0, "%s %s: %s %s", method, path, status, kind)
				}
			}
		}
	}
}
