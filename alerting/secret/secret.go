// Package secret holds tokens, keys and URLs that carry one, in a form that
// does not print, and reads them from files. A value reaches the wire only
// through Reveal, which is easy to find in a review.
package secret

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"unicode"
	"unicode/utf8"
)

// Redacted is what a Secret prints as.
const Redacted = "<redacted>"

// maxSize bounds a secret file: no token, key or webhook URL comes near it, so
// a larger file is the wrong file.
const maxSize = 16 << 10

// Secret is a string that shows itself as <redacted> in every fmt verb, in
// slog, JSON, YAML and text encodings. The empty Secret shows as empty, so that
// a printed configuration tells set from unset.
type Secret string

// Reveal returns the secret itself, for the request that needs it.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return Redacted
}

// Format implements fmt.Formatter: %x, %q and %#v would otherwise reach the
// bytes below.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler, which JSON uses too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML implements the marshaler of the YAML libraries.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// File is the path of a file that holds one secret. The path is not secret.
type File string

// In returns f with a relative path taken from dir, the folder of the
// configuration file that names it.
func (f File) In(dir string) File {
	if f == "" || filepath.IsAbs(string(f)) {
		return f
	}
	return File(filepath.Join(dir, string(f)))
}

// Read returns the file's content without surrounding white space. Receivers
// call it for each request, so a rotated secret (a Kubernetes secret volume, a
// new token written in place) is used without a restart; the file is small and
// in the page cache.
//
// Errors name the file and the remedy, never content.
func (f File) Read() (Secret, error) {
	b, err := f.load()
	if err != nil {
		return "", err
	}
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0:
		return "", fmt.Errorf("read secret %s: the file is empty; write the secret into it", f)
	case !utf8.Valid(b) || bytes.ContainsFunc(b, func(r rune) bool { return unicode.IsControl(r) || r == '\uFEFF' }):
		return "", fmt.Errorf("read secret %s: it holds more than one line of plain text; leave only the secret in it", f)
	}
	return Secret(b), nil
}

func (f File) load() ([]byte, error) {
	file, err := os.Open(string(f))
	if err != nil {
		return nil, fmt.Errorf("read secret: %w; %s", err, remedy(err))
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read secret: %w; %s", err, remedy(err))
	}
	if len(b) > maxSize {
		return nil, fmt.Errorf("read secret %s: larger than %d bytes, so hardly a secret; check the path", f, maxSize)
	}
	return b, nil
}

func remedy(err error) string {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "create the file or correct the path"
	case errors.Is(err, os.ErrPermission):
		return "let the user phiwatch runs as read it"
	default:
		return "name a readable file"
	}
}
