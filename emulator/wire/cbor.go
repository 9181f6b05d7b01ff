package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// cborType begins the Content-Type of the JSON protocol's twin in CBOR, which the
// SDK for Java speaks with Kinesis by default. Two types differ: data is bytes and
// not base64; a time is a number of milliseconds under timeTag, and not of seconds.
const (
	cborType = "application/x-amz-cbor-"
	timeTag  = 1
)

// fromCBOR returns an input of CBOR as the JSON of the same input.
func fromCBOR(body []byte) ([]byte, error) {
	decoder, err := cbor.DecOptions{
		// Kinesis's inputs are three deep: a client's must not be any deeper than this.
		MaxNestedLevels: 16, DupMapKey: cbor.DupMapKeyEnforcedAPF, DefaultMapType: reflect.TypeFor[map[string]any](),
	}.DecMode()
	if err != nil {
		return nil, fmt.Errorf("cbor: %w", err)
	}

	var in any
	if err := decoder.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("cbor: %w", err)
	}

	b, err := json.Marshal(jsonValue(in))
	if err != nil {
		return nil, fmt.Errorf("cbor: %w", err)
	}
	return b, nil
}

// jsonValue returns a decoded value as encoding/json writes the same value for the
// JSON protocol. Bytes are left: it writes them as base64.
func jsonValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			v[name] = jsonValue(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = jsonValue(inner)
		}
	case time.Time:
		// The decoder took the milliseconds for seconds, as the tag has it elsewhere.
		return Seconds(time.UnixMilli(v.Unix()))
	}
	return v
}

// toCBOR returns an output of JSON as CBOR.
func toCBOR(out []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(out))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, fmt.Errorf("cbor: %w", err)
	}

	b, err := cbor.Marshal(cborValue("", v))
	if err != nil {
		return nil, fmt.Errorf("cbor: %w", err)
	}
	return b, nil
}

// cborValue returns a value of JSON as CBOR has it. JSON does not tell data and
// times from texts and numbers, but in Kinesis's outputs their names do.
func cborValue(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			v[name] = cborValue(name, inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = cborValue("", inner)
		}
	case string:
		if data, err := base64.StdEncoding.DecodeString(v); name == "Data" && err == nil {
			return data
		}
	case json.Number:
		if n, err := v.Int64(); err == nil && !strings.HasSuffix(name, "Timestamp") {
			return n
		}

		f, _ := v.Float64() // the emulator wrote it
		if strings.HasSuffix(name, "Timestamp") {
			return cbor.Tag{Number: timeTag, Content: int64(f*1000 + 0.5)}
		}
		return f
	}
	return v
}
