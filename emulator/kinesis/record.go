package kinesis

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strconv"
)

// record is one stored record. Key and data belong to the caller.
type record struct {
	seq     uint64
	arrived int64 // ms
	key     []byte
	data    []byte
}

func (r record) size() int { return len(r.key) + len(r.data) }

const recordHead = 20 // sequence, arrival, length of the key; little endian

var errRecord = errors.New("kinesis: a stored record cannot be read")

func (r record) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, r.seq)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.arrived))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(r.key)))
	return append(append(dst, r.key...), r.data...)
}

// decodeRecord returns a record whose key and data lie in b.
func decodeRecord(b []byte) (record, error) {
	if len(b) < recordHead {
		return record{}, errRecord
	}

	// The length comes from a file: it must not lead outside the bytes.
	n := binary.LittleEndian.Uint32(b[16:])
	if uint64(n) > uint64(len(b)-recordHead) {
		return record{}, errRecord
	}

	end := recordHead + int(n)
	return record{
		seq: binary.LittleEndian.Uint64(b), arrived: int64(binary.LittleEndian.Uint64(b[8:])),
		key: b[recordHead:end], data: b[end:],
	}, nil
}

// appendJSON writes the record as GetRecords and SubscribeToShard return it. By
// hand: these are the emulator's largest answers.
func (r record) appendJSON(dst []byte, encryption string) []byte {
	dst = append(dst, `{"SequenceNumber":"`...)
	dst = appendSequence(dst, r.seq)
	dst = append(dst, `","ApproximateArrivalTimestamp":`...)
	dst = appendSeconds(dst, r.arrived)
	dst = append(dst, `,"Data":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, r.data)
	dst = append(dst, `","PartitionKey":`...)
	dst = appendText(dst, r.key)
	dst = append(dst, `,"EncryptionType":"`...)
	dst = append(dst, encryption...)
	return append(dst, `"}`...)
}

// appendSeconds writes ms as seconds with three digits.
func appendSeconds(dst []byte, ms int64) []byte {
	dst = strconv.AppendInt(dst, ms/1000, 10)
	rest := ms % 1000
	return append(dst, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
}

func appendText(dst, text []byte) []byte {
	for _, c := range text {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			b, _ := json.Marshal(string(text)) // text
			return append(dst, b...)
		}
	}
	return append(append(append(dst, '"'), text...), '"')
}
