//go:build !race

package alerting

const thin = 1
