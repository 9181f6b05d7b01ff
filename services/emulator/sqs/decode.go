package sqs

import (
	"encoding/binary"
	"fmt"
)

// decoder reads what append wrote; after the first mistake it gives zeros.
type decoder struct {
	b  []byte
	ok bool
}

func (d *decoder) uvarint() uint64 {
	n, size := binary.Uvarint(d.b)
	if size <= 0 {
		d.b, d.ok = nil, false
		return 0
	}
	d.b = d.b[size:]
	return n
}

func (d *decoder) varint() int64 {
	n, size := binary.Varint(d.b)
	if size <= 0 {
		d.b, d.ok = nil, false
		return 0
	}
	d.b = d.b[size:]
	return n
}

// count reads how many follow; each takes a byte at least.
func (d *decoder) count() int {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.b, d.ok = nil, false
		return 0
	}
	return int(n)
}

func (d *decoder) text() string {
	n := d.count()
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *decoder) flag() bool {
	n := d.uvarint()
	d.ok = d.ok && n <= 1
	return n == 1
}

func (d *decoder) texts() map[string]string {
	n := d.count()
	if n == 0 {
		return nil
	}
	m := map[string]string{}
	for range n {
		k := d.text()
		m[k] = d.text()
	}
	return m
}

func (d *decoder) message() *message {
	m := &message{}
	for _, s := range [...]*string{&m.ID, &m.Body, &m.Group, &m.Dedup, &m.Trace, &m.Source} {
		*s = d.text()
	}
	m.Sent, m.Arrived, m.Due = d.varint(), d.varint(), d.varint()
	m.Seq, m.Received = uint64(d.varint()), int(d.varint())
	if n := d.count(); n > 0 {
		m.Attributes = make(map[string]attribute, min(n, 10))
		for range n {
			name := d.text()
			a := attribute{DataType: d.text(), StringValue: d.text()}
			if v := d.text(); v != "" {
				a.BinaryValue = []byte(v)
			}
			m.Attributes[name] = a
		}
	}
	return m
}

// decodeFrame calls apply for each entry of a frame.
func decodeFrame(frame []byte, apply func(entry) error) error {
	for len(frame) > 0 {
		n := entryHead
		if len(frame) >= entryHead {
			n += int(binary.LittleEndian.Uint32(frame))
		}
		if n > len(frame) {
			return fmt.Errorf("%w: a frame cannot be read", errEntry)
		}
		e, err := decodeEntry(frame[entryHead:n])
		if err != nil {
			return err
		}
		frame = frame[n:]
		if err := apply(e); err != nil {
			return err
		}
	}
	return nil
}

// decodeEntry reads one entry.
func decodeEntry(b []byte) (entry, error) {
	if len(b) == 0 {
		return entry{}, fmt.Errorf("%w: an empty entry", errEntry)
	}
	d := decoder{b: b[1:], ok: true}
	e := entry{Op: op(b[0]), Queue: d.text(), To: d.text(), ID: d.text(), At: d.varint(), Attributes: d.texts(), Tags: d.texts(), Task: d.text()}
	if d.flag() {
		e.Dedup = &dedupEntry{Key: d.text(), ID: d.text(), Seq: d.uvarint(), Until: d.varint()}
	}
	if d.flag() {
		e.Message = d.message()
	}
	if !d.ok || len(d.b) > 0 {
		return entry{}, fmt.Errorf("%w: operation %d cannot be read", errEntry, e.Op)
	}
	return e, nil
}
