package gateway

import "sync"

// bufferSize is small, because each open stream holds a buffer for as long as it
// lives, and a thousand drivers are a thousand streams.
const bufferSize = 4 << 10

// bufferPool lends the proxies the memory in which answers are copied; without it
// each answer costs 32 kB of garbage.
type bufferPool struct{ pool sync.Pool }

func (b *bufferPool) Get() []byte {
	if buf, ok := b.pool.Get().(*[]byte); ok {
		return *buf
	}
	return make([]byte, bufferSize)
}

func (b *bufferPool) Put(buf []byte) { b.pool.Put(&buf) }
