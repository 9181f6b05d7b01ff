package kinesis

// StreamOf gives the name of the stream that a shard iterator reads; "" where
// the text is no iterator.
func StreamOf(iterator string) string {
	c, err := parseCursor(iterator)
	if err != nil {
		return ""
	}
	return c.Stream
}
