//go:build race

package alerting

// thin is by how much the long tests are thinned out: the race detector makes
// the SQLite engine, which is Go, ten times slower.
const thin = 5
