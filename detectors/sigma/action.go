package sigma

import "go.yaml.in/yaml/v4"

// actions applies the old key action between the documents of a file: global
// is merged into every document that follows, repeat is the document before
// with changes, reset forgets the global part. The documents that remain are
// rules of their own.
func (p *problems) actions(roots []*yaml.Node) []*yaml.Node {
	var global, previous *yaml.Node
	var out []*yaml.Node
	for _, root := range roots {
		switch action := actionOf(root); {
		case action == nil:
			previous = overlay(global, root)
			out = append(out, previous)
		case action.Value == "global":
			global = overlay(global, withoutAction(root))
		case action.Value == "reset":
			global = nil
		case action.Value == "repeat" && previous != nil:
			previous = overlay(previous, withoutAction(root))
			out = append(out, previous)
		case action.Value == "repeat":
			p.errorf(action, "action repeat has no document before it to repeat")
		default:
			p.errorf(action, "action %q is not one of global, reset, repeat", action.Value)
		}
	}
	if global != nil && len(out) == 0 {
		p.errorf(global, "a global document (action: global) needs a document after it, parted by ---")
	}
	return out
}

func actionOf(root *yaml.Node) *yaml.Node {
	if root.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == "action" && root.Content[i+1].Kind == yaml.ScalarNode {
			return root.Content[i+1]
		}
	}
	return nil
}

// withoutAction returns a copy of a mapping without its key action.
func withoutAction(root *yaml.Node) *yaml.Node {
	out := *root
	out.Content = nil
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != "action" {
			out.Content = append(out.Content, root.Content[i], root.Content[i+1])
		}
	}
	return &out
}

// overlay returns base with the entries of top laid over it, maps within maps
// joined.
func overlay(base, top *yaml.Node) *yaml.Node {
	if base == nil || base.Kind != yaml.MappingNode || top.Kind != yaml.MappingNode {
		return top
	}
	out := *top
	out.Content = nil
	index := make(map[string]int)
	add := func(k, v *yaml.Node) { out.Content = append(out.Content, k, v) }
	for i := 0; i+1 < len(base.Content); i += 2 {
		index[base.Content[i].Value] = len(out.Content)
		add(base.Content[i], base.Content[i+1])
	}
	for i := 0; i+1 < len(top.Content); i += 2 {
		k, v := top.Content[i], top.Content[i+1]
		at, ok := index[k.Value]
		switch {
		case !ok:
			add(k, v)
		case v.Kind == yaml.MappingNode && out.Content[at+1].Kind == yaml.MappingNode:
			out.Content[at+1] = overlay(out.Content[at+1], v)
		default:
			out.Content[at], out.Content[at+1] = k, v
		}
	}
	return &out
}
