package alerting

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// NoReceiver is the receiver that tells nobody: what its routes match is
// counted as suppressed. It needs no definition.
const NoReceiver = "none"

// Route says who hears of which violations, as in Alertmanager: the root takes
// everything; a violation goes down to the first child whose matchers all hold
// (and to further ones while Continue is set), and if none does, to the route
// itself. What a child leaves out it has from its parent.
type Route struct {
	Receiver string   `yaml:"receiver"`
	Matchers []string `yaml:"matchers"`
	// GroupBy is what makes one message or page: violations equal in these
	// labels. Default: tenant and entry.
	GroupBy []string `yaml:"group_by"`
	// GroupWait is how long the first delivery of a group waits for more.
	// Default 0: at once; what comes later edits the message.
	GroupWait *time.Duration `yaml:"group_wait"`
	// GroupInterval is the least time between two deliveries of a group.
	// Default 0.
	GroupInterval *time.Duration `yaml:"group_interval"`
	Continue      bool           `yaml:"continue"`
	Routes        []*Route       `yaml:"routes"`

	compiled bool
	matchers []*matcher
	id       string // matchers from the root and group_by: the same after a reload that moves the route
	wait     time.Duration
	interval time.Duration
}

// RouteError is a fault in one route.
type RouteError struct {
	Path string // of the key below the root, such as routes[1].matchers[0]
	Err  error
}

func (e *RouteError) Error() string { return strings.TrimPrefix(e.Path+": ", ": ") + e.Err.Error() }

// Unwrap returns the cause.
func (e *RouteError) Unwrap() error { return e.Err }

// Validate checks the root and all below it, compiles the matchers and fills in
// what is inherited. receivers are the names that are defined. The errors are
// RouteErrors, joined, each naming the key and the remedy.
func (r *Route) Validate(receivers []string) error {
	c := &compiler{receivers: append(slices.Clone(receivers), NoReceiver)}
	if len(r.Matchers) > 0 {
		c.fail("matchers", errors.New("the root route takes everything: move the matchers into a route below routes"))
	}
	if r.Continue {
		c.fail("continue", errors.New("the root route has nothing to continue to: remove it"))
	}
	if r.Receiver == "" {
		c.fail("receiver", fmt.Errorf("the root route needs a receiver: one of %s", strings.Join(c.receivers, ", ")))
	}
	c.compile("", r, &Route{GroupBy: []string{"tenant", "entry"}})
	return errors.Join(c.errs...)
}

type compiler struct {
	receivers []string
	errs      []error
}

func (c *compiler) fail(path string, err error) {
	c.errs = append(c.errs, &RouteError{path, err})
}

func (c *compiler) compile(at string, r, parent *Route) {
	if r.Receiver == "" {
		r.Receiver = parent.Receiver
	} else if !slices.Contains(c.receivers, r.Receiver) {
		c.fail(at+"receiver", fmt.Errorf("receiver %q is not defined: use one of %s", r.Receiver, strings.Join(c.receivers, ", ")))
	}
	for i, name := range r.GroupBy {
		if err := checkLabel(name); err != nil {
			c.fail(fmt.Sprintf("%sgroup_by[%d]", at, i), err)
		}
	}
	if r.GroupBy == nil {
		r.GroupBy = parent.GroupBy
	}
	r.wait = c.duration(at+"group_wait", r.GroupWait, parent.wait)
	r.interval = c.duration(at+"group_interval", r.GroupInterval, parent.interval)
	r.matchers = nil
	for i, s := range r.Matchers {
		m, err := parseMatcher(s)
		if err != nil {
			c.fail(fmt.Sprintf("%smatchers[%d]", at, i), err)
			continue
		}
		r.matchers = append(r.matchers, m)
	}
	r.id = r.identity(parent)
	r.compiled = true
	for i, child := range r.Routes {
		path := fmt.Sprintf("%sroutes[%d]", at, i)
		if child == nil {
			c.fail(path, errors.New("the route is empty: give it a receiver, or remove it"))
			continue
		}
		c.compile(path+".", child, r)
	}
}

// The longest group_wait and group_interval: nobody means to wait for more,
// and a forgotten unit is found.
const maxWait = 24 * time.Hour

func (c *compiler) duration(path string, d *time.Duration, inherited time.Duration) time.Duration {
	switch {
	case d == nil:
		return inherited
	case *d < 0 || *d > maxWait || *d > 0 && *d < time.Millisecond:
		c.fail(path, fmt.Errorf("%s is not between 1ms and 24h: write a number and a unit, such as 30s, or 0", inWords(*d)))
	}
	return *d
}

// identity names the route by what it says, so that moving it, or adding
// others, leaves its open groups its own.
func (r *Route) identity(parent *Route) string {
	var own []string
	for _, m := range r.matchers {
		own = append(own, m.String())
	}
	slices.Sort(own)
	path, _, _ := strings.Cut(parent.id, " by ")
	return path + "{" + strings.Join(own, ",") + "} by " + strings.Join(r.GroupBy, ",")
}

// match returns the routes that a violation takes whose labels have these values.
func (r *Route) match(labels map[string][]string) []*Route {
	for _, m := range r.matchers {
		if !m.holds(labels[m.label]) {
			return nil
		}
	}
	var out []*Route
	for _, child := range r.Routes {
		taken := child.match(labels)
		out = append(out, taken...)
		if len(taken) > 0 && !child.Continue {
			break
		}
	}
	if len(out) == 0 {
		out = []*Route{r}
	}
	return out
}

// all calls yield for the route and every one below it.
func (r *Route) all(yield func(*Route)) {
	yield(r)
	for _, child := range r.Routes {
		child.all(yield)
	}
}
