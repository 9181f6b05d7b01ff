package kinesis

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"tandem/emulator/journal"
)

// topologyVersion is of streams.json and of everything that it names.
const topologyVersion = 2

// topologyFile is streams.json.
type topologyFile struct {
	Version int                    `json:"version"`
	Streams map[string]*streamInfo `json:"streams"`
}

func (s *Service) topologyPath() string { return filepath.Join(s.o.Dir, "streams.json") }

func parseTopology(b []byte) (map[string]*streamInfo, error) {
	var k topologyFile
	if err := json.Unmarshal(b, &k); err != nil {
		return nil, fmt.Errorf("%w: %w", journal.ErrFormat, err)
	}
	if k.Version != topologyVersion {
		return nil, fmt.Errorf("%w: version %d", journal.ErrFormat, k.Version)
	}

	for name, n := range k.Streams {
		if n == nil || n.Name != name || !validName.MatchString(name) || n.check() != nil {
			return nil, fmt.Errorf("%w: stream %q", journal.ErrFormat, name)
		}
	}

	return k.Streams, nil
}

// check returns an error unless the open shards divide all hash keys among them.
func (n *streamInfo) check() error {
	want := hashKey{}
	for i, sh := range n.openShards() {
		if sh.Start != want || sh.End.compare(sh.Start) < 0 || i > 0 && want == (hashKey{}) {
			return fmt.Errorf("shard %s begins at %s, not at %s", sh.ID, sh.Start, want)
		}
		want = sh.End.next()
	}

	if want != (hashKey{}) || len(n.Shards) == 0 {
		return fmt.Errorf("the open shards end before %s", want)
	}

	for i, sh := range n.Shards {
		if sh.ID == "" || sh.ID != filepath.Base(sh.ID) || i > 0 && sh.ID <= n.Shards[i-1].ID {
			return fmt.Errorf("shard %q is out of place", sh.ID)
		}
	}
	return nil
}

// load opens what the folder holds.
func (s *Service) load() error {
	if err := os.MkdirAll(s.o.Dir, 0o700); err != nil {
		return fmt.Errorf("kinesis: %w", err)
	}

	b, err := os.ReadFile(s.topologyPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("kinesis: %w", err)
	}

	infos, err := parseTopology(b)
	if err != nil {
		return fmt.Errorf("kinesis: %s: %w", s.topologyPath(), err)
	}

	known := map[string]bool{}
	for name, info := range infos {
		st := &stream{}
		shards, err := s.shardsOf(st, info)
		if err != nil {
			return err
		}
		st.replaceTopology(info, shards)
		s.streams[name] = st

		// Only what streams.json names was acknowledged; the rest is left of a
		// deletion that was killed.
		s.sweep(streamDir(s.o.Dir, info), func(id string) bool { return shards[id] != nil })
		known[filepath.Base(streamDir(s.o.Dir, info))] = true
	}

	s.sweep(s.o.Dir, func(name string) bool { return known[name] })
	return nil
}

// sweep removes the folders that a deletion left behind when it was killed.
func (s *Service) sweep(dir string, known func(name string) bool) {
	entries, _ := os.ReadDir(dir) // a stream has a folder from its first record on
	for _, e := range entries {
		if !e.IsDir() || known(e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		s.o.Log.Info("removing what was deleted", "folder", path, "err", os.RemoveAll(path))
	}
}

// shardsOf returns the working shards of next: those that the stream has, and new
// ones for the rest.
func (s *Service) shardsOf(st *stream, next *streamInfo) (map[string]*shard, error) {
	out := make(map[string]*shard, len(next.Shards))
	for _, info := range next.Shards {
		if out[info.ID] = st.byID[info.ID]; out[info.ID] != nil {
			continue
		}

		sh, err := st.openShard(streamDir(s.o.Dir, next), s.o.Fsync, info)
		if err != nil {
			return nil, err
		}
		for _, path := range sh.log.damaged {
			s.o.Log.Error("bytes went bad: records that were acknowledged are lost", "file", path, "copy", path+".damaged")
		}
		out[info.ID] = sh
	}
	return out, nil
}

// save replaces streams.json, whole or not at all, as it will be once the named
// stream is info; nil: once it is gone. changing is held.
func (s *Service) save(name string, info *streamInfo) error {
	k := topologyFile{topologyVersion, map[string]*streamInfo{}}
	for other, st := range s.streams {
		k.Streams[other] = st.info
	}
	if k.Streams[name] = info; info == nil {
		delete(k.Streams, name)
	}

	b, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("kinesis: topology: %w", err)
	}
	if err := journal.Replace(s.topologyPath(), b, s.o.Fsync); err != nil {
		return fmt.Errorf("kinesis: topology: %w", err)
	}
	return nil
}

// change changes a stream's topology: f works on a copy, which is saved, and
// only then takes the place of the one before. Puts to the stream wait.
func (s *Service) change(t target, f func(st *stream, next *streamInfo) error) error {
	s.changing.Lock()
	defer s.changing.Unlock()

	st, err := s.find(t)
	if err != nil {
		return err
	}
	st.mu.Lock()
	defer st.mu.Unlock()

	// A copy: when anything below fails, nothing has changed.
	next := st.info.clone()
	if err := f(st, next); err != nil {
		return err
	}
	// Nothing is written where nothing changed: an emulator that provisions what it
	// has must start on a full disk.
	if reflect.DeepEqual(next, st.info) {
		return nil
	}

	shards, err := s.shardsOf(st, next)
	if err != nil {
		return err
	}

	// Saved before it takes effect: what a client was told survives a kill.
	if err := s.save(next.Name, next); err != nil {
		return err
	}

	for id, sh := range st.byID {
		if shards[id] == nil { // out of retention
			err = errors.Join(err, sh.discard())
		}
	}

	st.replaceTopology(next, shards)
	if err != nil {
		s.o.Log.Warn("what is left of a shard was not removed", "stream", next.Name, "err", err)
	}
	return nil
}
