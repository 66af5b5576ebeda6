package eventhub

import (
	"path/filepath"
	"slices"
)

// In returns c with relative file names taken from dir, the folder of the
// configuration file that names them.
func (c Config) In(dir string) Config {
	c.Hubs = slices.Clone(c.Hubs)
	for i := range c.Hubs {
		h := &c.Hubs[i]
		for _, name := range []*string{&h.ConnectionStringFile, &h.CAFile} {
			*name = in(dir, *name)
		}
		if h.Credential != nil {
			own := h.Credential.in(dir)
			h.Credential = &own
		}
	}
	return c
}

func in(dir, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// in returns c with relative file names taken from dir.
func (c Credential) in(dir string) Credential {
	for _, name := range []*string{&c.TokenFile, &c.SecretFile, &c.CertificateFile, &c.CertificatePasswordFile} {
		*name = in(dir, *name)
	}
	return c
}
