package ingest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// fileHub is the Partition.Hub of files.
const fileHub = "file"

// Bounds of a batch of lines.
const (
	fileBatch      = 256
	fileBatchBytes = 4 << 20
)

// payloadFiles are the endings of the files that are taken from a directory.
var payloadFiles = []string{".jsonl", ".ndjson", ".json", ".raw"}

// Files is a Source over files, each read once, in order: in *.jsonl, *.ndjson
// and standard input each line that is not blank is a message, any other file
// is one message, and a file that ends in .gz is unpacked first. Lines and
// files over MaxBody are cut behind it, which the Decoder reports. Positions
// are not kept.
type Files struct {
	paths  []string
	passed []string
	stdin  io.Reader
}

// NewFiles returns a source over the paths in the order given. A directory
// stands for the files in it that end in .jsonl, .ndjson, .json or .raw (.gz
// behind these or not), in lexical order; the others are left to Passed. "-"
// is stdin, once.
func NewFiles(paths []string, stdin io.Reader) (*Files, error) {
	f := &Files{stdin: stdin}
	for _, path := range paths {
		if path == "-" {
			if slices.Contains(f.paths, "-") {
				return nil, errors.New("standard input can be read once")
			}
			f.paths = append(f.paths, path)
			continue
		}
		if err := f.walk(path); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *Files) walk(root string) error {
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir():
		case path == root || slices.Contains(payloadFiles, filepath.Ext(unzipped(path))):
			f.paths = append(f.paths, path)
		default:
			f.passed = append(f.passed, path)
		}
		return nil
	})
}

// Paths returns the files to be read, in order.
func (f *Files) Paths() []string { return slices.Clone(f.paths) }

// Passed returns the files of directories that are no payloads by their name
// and are not read.
func (f *Files) Passed() []string { return slices.Clone(f.passed) }

// Run calls handle with the messages of each file, serially, and returns when
// all are read. Unlike other sources it ends with handle's error, and with that
// of a file that cannot be read; what was read before is handled.
func (f *Files) Run(ctx context.Context, handle func(context.Context, Batch) error) error {
	for _, path := range f.paths {
		if ctx.Err() != nil {
			return nil
		}
		if err := f.file(ctx, path, handle); err != nil {
			return err
		}
	}
	return nil
}

func (f *Files) file(ctx context.Context, path string, handle func(context.Context, Batch) error) error {
	b := &fileBatcher{ctx: ctx, handle: handle, batch: Batch{Partition: Partition{Hub: fileHub, ID: path}, Behind: -1}}
	if path == "-" {
		return b.lines(f.stdin)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if ext := filepath.Ext(unzipped(path)); ext != ".jsonl" && ext != ".ndjson" {
		return b.whole(file) // the decoder unpacks it
	}
	if !strings.HasSuffix(path, ".gz") {
		return b.lines(file)
	}
	z, err := gzip.NewReader(bufio.NewReader(file))
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return b.lines(z)
}

func unzipped(path string) string { return strings.TrimSuffix(path, ".gz") }

// fileBatcher turns a file into batches.
type fileBatcher struct {
	ctx    context.Context
	handle func(context.Context, Batch) error
	batch  Batch
	bytes  int
	read   int64
}

// whole delivers a file as one message.
func (b *fileBatcher) whole(r io.Reader) error {
	body, err := io.ReadAll(io.LimitReader(r, MaxBody+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", b.batch.ID, err)
	}
	b.read = 1
	if err := b.add(body); err != nil {
		return err
	}
	return b.flush()
}

// lines delivers each line that is not blank. What can be read of a broken
// file is delivered before its error is returned.
func (b *fileBatcher) lines(r io.Reader) error {
	in := bufio.NewReaderSize(r, 256<<10)
	for {
		line, err := readLine(in)
		b.read++
		if len(bytes.TrimSpace(line)) > 0 {
			if err := b.add(line); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return b.flush()
		case err != nil:
			return errors.Join(b.flush(), fmt.Errorf("read %s after line %d: %w", b.batch.ID, b.read-1, err))
		case b.ctx.Err() != nil:
			return nil
		}
	}
}

// readLine returns the next line without its end, in memory of its own, and no
// more than MaxBody+1 bytes of it.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part[:min(len(part), MaxBody+1-len(line))]...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimRight(line, "\r\n"), err
		}
	}
}

func (b *fileBatcher) add(body []byte) error {
	b.batch.Messages = append(b.batch.Messages, Message{
		Position: Position{Partition: b.batch.Partition, Sequence: b.read},
		Body:     body,
	})
	if b.bytes += len(body); len(b.batch.Messages) < fileBatch && b.bytes < fileBatchBytes {
		return nil
	}
	return b.flush()
}

func (b *fileBatcher) flush() error {
	if len(b.batch.Messages) == 0 {
		return nil
	}
	batch := b.batch
	b.batch.Messages, b.bytes = nil, 0
	return b.handle(b.ctx, batch)
}
