package outbound

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Redact returns err without the URLs that net/http puts into its errors: the
// path of a webhook is its password. The cause stays in the chain, so that
// errors.Is(err, context.Canceled) still holds; the *url.Error does not.
func Redact(err error) error {
	var u *url.Error
	if !errors.As(err, &u) {
		return err
	}
	if u.Op == "parse" {
		// The cause quotes the part it did not like.
		return errors.New("malformed URL")
	}
	return fmt.Errorf("%s: %w", strings.ToLower(u.Op), Redact(u.Err))
}

// The bounds of a pause a destination may ask for. A longer one would leave
// people untold; the retry after it costs one request.
const (
	minPause = time.Second
	maxPause = 15 * time.Minute
)

// Pause returns how long the Retry-After header of a response asks to wait
// (RFC 9110, section 10.2.3: seconds or a date), def if it is absent or
// unreadable, and in any case between one second and 15 minutes.
func Pause(h http.Header, now time.Time, def time.Duration) time.Duration {
	d := def
	v := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseUint(v, 10, 32); err == nil {
		d = time.Duration(n) * time.Second
	} else if f, err := strconv.ParseFloat(v, 64); err == nil && f >= 0 && f < 1e6 {
		d = time.Duration(f * float64(time.Second))
	} else if at, err := http.ParseTime(v); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, minPause), maxPause)
}

// CheckURL reports what is wrong with a URL from the configuration: it must be
// absolute and https, or http to this machine, and hold no user name. The error
// does not quote the URL, which may be secret.
func CheckURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return errors.New("not an absolute URL such as https://example.org/path")
	case u.User != nil:
		return errors.New("holds a user name; give credentials in a file of their own")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && IsLoopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return errors.New("is plain http, which shows its content to the network; use https")
	default:
		return errors.New("must begin with https://")
	}
}
