//go:build race

package detectors

// The race detector makes sync.Pool drop what it holds, and everything slower.
func init() { raceDetector = true }
