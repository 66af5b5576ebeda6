//go:build race

package sigma

// raceDetector slows tests down and makes sync.Pool drop what it is given.
const raceDetector = true
