package location

import (
	"bytes"
	"sync"

	"github.com/gin-gonic/gin"

	"tandem/services/internal/httpserver"
)

// bodies are the buffers that bodies are read into. What is decoded shares nothing with
// them.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// readPoints reads a batch, packed with gzip or not.
func readPoints(c *gin.Context) (in pointsRequest, err error) {
	b, _ := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(b)
	b.Reset()

	if err := httpserver.ReadBody(c, maxBody, b); err != nil {
		return in, err
	}
	if in, ok := scanPoints(b.Bytes()); ok {
		return in, nil
	}
	err = httpserver.Decode(b, &in)
	return in, err
}
