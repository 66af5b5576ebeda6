package main

import (
	"errors"

	"phiwatch/detectors"
	"phiwatch/detectors/strict"
)

// tune applies the pack of the configuration to the rules and to what goes by
// the clock.
func (c *config) tune(set *detectors.Set) error {
	r := &c.Rules
	err := set.Tune(detectors.Pack{Disable: r.Disable, Enable: r.Enable, Severity: r.Severity}, clockRules()...)
	if err == nil {
		return nil
	}
	return usageError{c.file.locatePack(err)}
}

// untuned forgets the pack.
func (r *rulesConfig) untuned() { r.Disable, r.Enable, r.Severity = nil, nil, nil }

// locatePack prefixes the mistakes of a pack with their place.
func (f *yamlFile) locatePack(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, f.locatePack(e))
		}
		return errors.Join(errs...)
	}
	var mistake *detectors.PackError
	if !errors.As(err, &mistake) {
		return err
	}
	n := f.root
	for _, step := range append([]string{"rules"}, mistake.Path...) {
		n = child(n, step)
	}
	return strict.At(f.name, n, "rules.%s[%s]: %s", mistake.Path[0], mistake.Path[1], mistake.Msg)
}
