package document

// Extractor reads many paths in one walk over a record, which costs what the
// record holds and not what is asked: members that no path names are passed
// over, and views are looked at only where the record has such a list. It gives
// for each path exactly what Document.Values gives. An Extractor is immutable
// and safe for concurrent use.
type Extractor struct {
	paths  []*Path
	root   *level
	views  [bodyView + 1]viewIndex
	bodies []int // the slots of body paths
}

// level is a place in the tree of paths.
type level struct {
	slots    []int // paths that end here
	members  nameTable
	star     *level
	filtered []filteredLevel
	hooks    []hook // lists of views that stand here
}

type filteredLevel struct {
	filters []filter
	level   *level
}

// hook says that what stands here is place number place of a view.
type hook struct {
	view  view
	place int
}

// deeper reports whether anything is asked of what is in a value.
func (l *level) deeper() bool { return l.star != nil || len(l.members.entries) > 0 }

// leaf returns the slot of the one path that ends here, -1 if anything else is asked.
func (l *level) leaf() int32 {
	if len(l.slots) != 1 || l.deeper() || len(l.filtered) > 0 || len(l.hooks) > 0 {
		return -1
	}
	return int32(l.slots[0])
}

// NewExtractor returns an Extractor whose slot i is paths[i].
func NewExtractor(paths []*Path) *Extractor {
	x := &Extractor{paths: paths, root: new(level)}
	for slot, p := range paths {
		switch p.view {
		case plain:
			l := x.root.at(p.segs)
			l.slots = append(l.slots, slot)
			continue
		case bodyView:
			x.bodies = append(x.bodies, slot)
		default:
			x.views[p.view].add(slot, p)
		}
		x.hook(p.view)
	}
	x.root.seal()
	x.views[modifiedView].sealModified()
	return x
}

// hook makes the walk note the lists of view v.
func (x *Extractor) hook(v view) {
	if x.views[v].hooked {
		return
	}
	x.views[v].hooked = true
	for k, segs := range viewPlaces[v] {
		l := x.root.at(segs)
		l.hooks = append(l.hooks, hook{v, k})
	}
}

// at returns the level at segs below l, made if need be.
func (l *level) at(segs []segment) *level {
	for _, seg := range segs {
		l = l.child(seg)
		if len(seg.filters) > 0 {
			f := filteredLevel{seg.filters, new(level)}
			l.filtered = append(l.filtered, f)
			l = f.level
		}
	}
	return l
}

func (l *level) child(seg segment) *level {
	if !seg.star {
		return l.members.make(seg.name)
	}
	if l.star == nil {
		l.star = new(level)
	}
	return l.star
}

// seal makes the levels from l on ready for use.
func (l *level) seal() {
	for i := range l.members.entries {
		l.members.entries[i].level.seal()
	}
	l.members.seal()
	for _, f := range l.filtered {
		f.level.seal()
	}
	if l.star != nil {
		l.star.seal()
	}
}

// Len returns the number of slots.
func (x *Extractor) Len() int { return len(x.paths) }

// Path returns the path of a slot.
func (x *Extractor) Path(slot int) *Path { return x.paths[slot] }

// viewIndex finds the paths of a view by the name they select.
type viewIndex struct {
	hooked bool
	slots  []int           // every path
	stars  []int           // those that select any name
	names  [64][]namedSlot // the others, by the length of the name (the last: and longer)

	modified [64][]*modifiedGroup // instead of names, for modified properties
}

type namedSlot struct {
	name string
	slot int
}

func (v *viewIndex) add(slot int, p *Path) {
	v.slots = append(v.slots, slot)
	if p.name.star {
		v.stars = append(v.stars, slot)
		return
	}
	name := trim(p.name.name)
	if p.view == modifiedView {
		v.addModified(name, slot, p)
		return
	}
	bucket := &v.names[min(len(name), len(v.names)-1)]
	*bucket = append(*bucket, namedSlot{name, slot})
}

func (v *viewIndex) bucket(name string) []namedSlot {
	return v.names[min(len(name), len(v.names)-1)]
}
