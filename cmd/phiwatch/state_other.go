//go:build !unix

package main

import "os"

// lockState claims nothing where there is no flock.
func lockState(string) (*os.File, error) { return nil, nil }

// readByAll cannot be told from the mode of a file.
func readByAll(string) bool { return false }
