package fields

import (
	"strings"

	"phiwatch/detectors/sigma"
	"phiwatch/ingest"
	"phiwatch/ingest/document"
)

// azureRoles are the names of the built-in Azure roles that give power over
// others' rights or keys. Records have their ids only.
var azureRoles = map[string]string{
	"8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
	"18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
	"f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
	"00482a5a-887f-4fb3-b363-3b7fe8e74483": "Key Vault Administrator",
}

// azureRole names the role of a role definition's id; of one that it does not
// know, it is the last part of the id.
type azureRole struct{ path *document.Path }

func newAzureRole(arg string, _ map[string][]string) (computed, error) {
	p, err := document.Compile(arg)
	return &azureRole{p}, err
}

func (a *azureRole) append(dst []sigma.Value, ev *ingest.Event) []sigma.Value {
	for text := range texts(ev, a.path) {
		id := LowerASCII(text[strings.LastIndexByte(text, '/')+1:])
		name, known := azureRoles[id]
		if !known {
			name = id
		}
		dst = append(dst, sigma.Value{Kind: sigma.String, Text: name})
	}
	return dst
}
