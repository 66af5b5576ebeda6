package localhub

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Token types of put-token.
const (
	tokenSAS = "servicebus.windows.net:sastoken"
	tokenJWT = "jwt"
)

// checkToken decides whether a token gives its bearer the audience, and until
// when. The zero time means for as long as the connection lasts.
func (h *Hub) checkToken(kind, token, audience string) (time.Time, error) {
	switch kind {
	case tokenSAS:
		return h.checkSAS(token, audience)
	case tokenJWT:
		if h.cfg.AcceptJWT == nil {
			return time.Time{}, errors.New("this namespace takes shared access signatures only")
		}
		return time.Time{}, h.cfg.AcceptJWT(token)
	}
	return time.Time{}, fmt.Errorf("unknown token type %.50q", kind)
}

// checkSAS checks a shared access signature:
//
//	SharedAccessSignature sr=<resource>&sig=<signature>&se=<expiry>&skn=<key name>
//
// whose signature is HMAC-SHA256 over the resource as written, a line break
// and the expiry in Unix seconds.
func (h *Hub) checkSAS(token, audience string) (time.Time, error) {
	fields, ok := strings.CutPrefix(token, "SharedAccessSignature ")
	if !ok {
		return time.Time{}, errors.New("malformed shared access signature")
	}
	part := map[string]string{}
	for pair := range strings.SplitSeq(fields, "&") {
		k, v, _ := strings.Cut(pair, "=")
		part[k] = v
	}
	resource, err1 := url.QueryUnescape(part["sr"])
	signature, err2 := url.QueryUnescape(part["sig"])
	name, err3 := url.QueryUnescape(part["skn"])
	seconds, err4 := strconv.ParseInt(part["se"], 10, 64)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return time.Time{}, errors.New("malformed shared access signature")
	}
	mac := hmac.New(sha256.New, []byte(h.cfg.Key))
	mac.Write([]byte(part["sr"] + "\n" + part["se"]))
	got, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || name != h.cfg.KeyName || !hmac.Equal(got, mac.Sum(nil)) {
		return time.Time{}, errors.New("the token has an invalid signature")
	}
	expiry := time.Unix(seconds, 0)
	if !expiry.After(time.Now()) {
		return time.Time{}, errors.New("the token is expired")
	}
	if !within(entityPath(audience), entityPath(resource)) {
		return time.Time{}, errors.New("the token's resource does not cover the audience")
	}
	return expiry, nil
}

// entityPath is the path of a resource such as amqps://host/hub/Partitions/0,
// in lower case: entities are compared without case, hosts not at all, because
// a client reaches this namespace under whatever name it likes.
func entityPath(resource string) string {
	if _, rest, ok := strings.Cut(resource, "://"); ok {
		_, resource, _ = strings.Cut(rest, "/")
	}
	return strings.ToLower(strings.Trim(resource, "/"))
}

// within reports whether path is scope or below it. An empty scope is the
// namespace itself.
func within(path, scope string) bool {
	return scope == "" || path == scope || strings.HasPrefix(path, scope+"/")
}

// claims are the entities that a connection has shown tokens for.
type claims map[string]time.Time

// maxClaims bounds them; a client that uses every partition of every hub on
// one connection needs a few thousand.
const maxClaims = 8192

func (c claims) add(audience string, expiry time.Time) error {
	path := entityPath(audience)
	if len(path) > maxName {
		return errors.New("audience too long")
	}
	if _, ok := c[path]; !ok && len(c) >= maxClaims {
		return errors.New("too many claims on one connection")
	}
	c[path] = expiry
	return nil
}

// cover reports whether an unexpired claim covers the entity.
func (c claims) cover(path string, now time.Time) bool {
	path = strings.ToLower(path)
	for {
		if expiry, ok := c[path]; ok && (expiry.IsZero() || expiry.After(now)) {
			return true
		}
		if path == "" {
			return false
		}
		path = path[:max(0, strings.LastIndexByte(path, '/'))]
	}
}

// Sign makes a shared access signature for a resource such as
// "amqps://example.org/hub", as clients do. It is for those who want to hand
// one out instead of the key.
func Sign(keyName, key, resource string, expiry time.Time) string {
	sr := strings.ToLower(url.QueryEscape(resource))
	se := strconv.FormatInt(expiry.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(sr + "\n" + se))
	return fmt.Sprintf("SharedAccessSignature sr=%s&sig=%s&se=%s&skn=%s", sr,
		url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil))), se, url.QueryEscape(keyName))
}
