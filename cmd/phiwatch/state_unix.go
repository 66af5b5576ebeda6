//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// lockState claims a state for this process until the file it returns is closed,
// or the process ends in whatever way. Two processes on one state would tell
// everything twice. The lock has a file of its own: to close the database's would
// drop SQLite's locks on it.
func lockState(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("state database %s: %w; make the folder %s, writable for phiwatch, or correct state", path, err, filepath.Dir(path))
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		who, _ := io.ReadAll(io.LimitReader(f, 20)) // only explains
		f.Close()
		return nil, fmt.Errorf("state database %s: another phiwatch uses it, process %s; stop that one, or name another file with state", path, strings.TrimSpace(string(who)))
	} // any other error: a file system without locks
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	}
	return f, nil
}

// readByAll reports whether every user of the machine can read a file.
func readByAll(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o004 != 0
}
