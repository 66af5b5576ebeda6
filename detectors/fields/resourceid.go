package fields

import "strings"

// resourceIDs are the names that the shapes of a record have for the resource it
// is about: the hub's, the rows' of Log Analytics, the Python SDK's.
var resourceIDs = []string{"resourceId", "_ResourceId", "resource_id"}

// newResourceID returns the field resourceId, wherever the record's shape has it,
// or nil if name is another field.
func newResourceID(name string) (computed, error) {
	if !strings.EqualFold(name, resourceIDs[0]) {
		return nil, nil
	}
	return newPaths(strings.Join(resourceIDs, " | "), false)
}

// spelled returns the paths that a field stands for.
func spelled(field string) []string {
	if strings.EqualFold(field, resourceIDs[0]) {
		return resourceIDs
	}
	return []string{field}
}
