package kpl

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of the format: of the aggregate, and of a user record.
const (
	fieldKeys     = 1
	fieldHashKeys = 2
	fieldRecords  = 3

	fieldKeyIndex  = 1
	fieldHashIndex = 2
	fieldData      = 3
	fieldTag       = 4

	fieldTagName  = 1
	fieldTagValue = 2
)

// parse reads the protobuf of an aggregate. It goes over the bytes by hand: the
// generated types allocate 40 times as much as a hostile record has bytes.
func parse(body []byte) ([]UserRecord, error) {
	// Count first: nothing is allocated for an aggregate that is refused, and no
	// slice grows.
	counts, err := count(body)
	if err != nil {
		return nil, err
	}

	// The tables may lie anywhere, also after the records that point into them.
	keys, hashKeys := make([]string, 0, counts[fieldKeys]), make([]string, 0, counts[fieldHashKeys])
	_ = eachField(body, func(n protowire.Number, v []byte, _ uint64) error {
		switch n {
		case fieldKeys:
			keys = append(keys, string(v))
		case fieldHashKeys:
			hashKeys = append(hashKeys, string(v))
		}
		return nil
	})

	users := make([]UserRecord, 0, counts[fieldRecords])
	err = eachField(body, func(n protowire.Number, v []byte, _ uint64) error {
		if n != fieldRecords {
			return nil
		}
		u, err := parseUser(v, keys, hashKeys)
		if err != nil {
			return fmt.Errorf("user record %d: %w", len(users), err)
		}
		u.Sub = len(users)
		users = append(users, u)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return users, nil
}

// count returns how often each field of the aggregate is there.
func count(body []byte) (counts [fieldRecords + 1]int, err error) {
	err = eachField(body, func(n protowire.Number, v []byte, _ uint64) error {
		if n > fieldRecords || v == nil {
			return nil
		}
		if counts[n]++; counts[n] > MaxEntries {
			return fmt.Errorf("more than %d entries in field %d", MaxEntries, n)
		}
		return nil
	})
	return counts, err
}

var errIncomplete = errors.New("the partition key or the data is missing")

// parseUser reads one user record. The indexes are checked, which AWS's own
// module does not do: it panics there.
func parseUser(b []byte, keys, hashKeys []string) (u UserRecord, err error) {
	hasKey := false
	err = eachField(b, func(n protowire.Number, v []byte, x uint64) error {
		switch {
		case n == fieldData && v != nil:
			u.Data = v
		case n == fieldKeyIndex && v == nil:
			if x >= uint64(len(keys)) {
				return fmt.Errorf("there is no partition key %d", x)
			}
			u.Key, hasKey = keys[x], true
		case n == fieldHashIndex && v == nil:
			if x >= uint64(len(hashKeys)) {
				return fmt.Errorf("there is no hash key %d", x)
			}
			u.HashKey = hashKeys[x]
		case n == fieldTag && v != nil:
			if trace := parseTrace(v); trace != nil {
				u.Trace = trace
			}
		}
		return nil
	})
	if err == nil && (!hasKey || u.Data == nil) {
		err = errIncomplete
	}
	return u, err
}

// parseTrace returns the value of a tag that is named TraceTag; of another, or of one that
// cannot be read, which is no reason to lose the data beside it, nil.
func parseTrace(b []byte) (value []byte) {
	named := false
	err := eachField(b, func(n protowire.Number, v []byte, _ uint64) error {
		switch n {
		case fieldTagName:
			named = string(v) == TraceTag
		case fieldTagValue:
			value = v
		}
		return nil
	})
	if err != nil || !named {
		return nil
	}
	return value
}

// eachField calls fn with each field of a message: v is the value of a field of
// bytes, else it is nil and x is the value of a number. Fields of another kind
// are skipped.
func eachField(b []byte, fn func(n protowire.Number, v []byte, x uint64) error) error {
	for len(b) > 0 {
		n, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return protowire.ParseError(size)
		}
		b = b[size:]

		var err error
		switch kind {
		case protowire.BytesType:
			var v []byte
			if v, size = protowire.ConsumeBytes(b); size >= 0 {
				err = fn(n, v[:len(v):len(v)], 0)
			}
		case protowire.VarintType:
			var x uint64
			if x, size = protowire.ConsumeVarint(b); size >= 0 {
				err = fn(n, nil, x)
			}
		default:
			size = protowire.ConsumeFieldValue(n, kind, b)
		}
		if size < 0 {
			return protowire.ParseError(size)
		}
		if err != nil {
			return err
		}
		b = b[size:]
	}
	return nil
}
