package document

import "testing"

func TestSmoke(t *testing.T) {
	var d Document
	err := d.Parse([]byte(`{"a":{"b":[1,{"c":"x\ny"},"z"]},"p":"{\"q\":[true]}","properties":{"targetResources":[{"type":"User","id":"7","modifiedProperties":[{"displayName":"A.B","oldValue":"[\"x\"]","newValue":"\"[\\\"y\\\"]\""}]}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"a.b", "a.b.c", "p.q", "properties.targetResources[type=user].id", "modified.A.B.new", "modified.a.b.added", "modified.*.removed"} {
		t.Log(p, d.Values(MustCompile(p), nil))
	}
}
