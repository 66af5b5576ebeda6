package detectors

import (
	"reflect"

	"go.yaml.in/yaml/v4"

	"phiwatch/detectors/strict"
)

// nodeKeys are the keys below safeguard that are read by themselves, by what they
// are read into; those that hold detections are package sigma's.
var nodeKeys = func() strict.Nodes {
	parts := reflect.TypeFor[[]keyPartYAML]()
	return strict.Nodes{
		reflect.TypeFor[safeguard](): {
			"subject": parts, "name": parts, "restored_subject": parts,
			"unknown":  reflect.TypeFor[[]condition](),
			"regained": reflect.TypeFor[regainedYAML](),
			"known":    reflect.TypeFor[knownYAML](),
			"sides":    reflect.TypeFor[map[string]sideYAML](),
			"memory":   reflect.TypeFor[memoryYAML](),
			"alias":    reflect.TypeFor[aliasYAML](),
			"lapses":   reflect.TypeFor[lapsesYAML](),
		},
		reflect.TypeFor[knownYAML]():     {"key": parts, "of": parts, "by": parts},
		reflect.TypeFor[forgottenYAML](): {"key": parts},
		reflect.TypeFor[memoryYAML]():    {"values": reflect.TypeFor[map[string]rememberedYAML]()},
		reflect.TypeFor[aliasYAML]():     {"names": parts},
		reflect.TypeFor[renamedYAML]():   {"to": parts},
	}
}()

// load decodes a safeguard key, or one below it, into v.
func load(file string, n *yaml.Node, v any, path string) error {
	return strict.Load(file, n, v, path, nodeKeys)
}
