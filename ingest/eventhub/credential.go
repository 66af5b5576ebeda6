package eventhub

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// Credential is one way to sign in to Entra ID. The identity needs the role
// Azure Event Hubs Data Receiver on the hub or its namespace.
type Credential struct {
	// Type is default (what the environment offers, in azidentity's order),
	// workload-identity, managed-identity, client-secret or client-certificate.
	Type string `yaml:"type"`
	// TenantID and ClientID name the application. A managed identity takes
	// only ClientID, and only when it is user-assigned.
	TenantID string `yaml:"tenant_id"`
	ClientID string `yaml:"client_id"`
	// TokenFile is workload-identity's federated token; by default AZURE_FEDERATED_TOKEN_FILE.
	TokenFile string `yaml:"token_file"`
	// SecretFile holds client-secret's secret.
	SecretFile string `yaml:"secret_file"`
	// CertificateFile holds client-certificate's certificate and key, PEM or PKCS #12.
	CertificateFile string `yaml:"certificate_file"`
	// CertificatePasswordFile holds the password of CertificateFile, if it has one.
	CertificatePasswordFile string `yaml:"certificate_password_file"`
	// Cloud is public (default), government or china.
	Cloud string `yaml:"cloud"`

	fixed azcore.TokenCredential // used instead, in tests
}

// clouds are the values of Credential.Cloud.
var clouds = map[string]cloud.Configuration{
	"":           cloud.AzurePublic,
	"public":     cloud.AzurePublic,
	"government": cloud.AzureGovernment,
	"china":      cloud.AzureChina,
}

// credentialKeys lists, by type, which keys it needs and which it may have.
var credentialKeys = map[string]struct{ need, may []string }{
	"default":            {may: []string{"tenant_id"}},
	"workload-identity":  {may: []string{"tenant_id", "client_id", "token_file"}},
	"managed-identity":   {may: []string{"client_id"}},
	"client-secret":      {need: []string{"tenant_id", "client_id", "secret_file"}},
	"client-certificate": {need: []string{"tenant_id", "client_id", "certificate_file"}, may: []string{"certificate_password_file"}},
}

// check returns what is wrong with c; each error begins with the key.
func (c *Credential) check() []error {
	keys, ok := credentialKeys[c.Type]
	if !ok {
		return []error{fmt.Errorf("credential.type: %q; use default, workload-identity, managed-identity, client-secret or client-certificate", c.Type)}
	}
	var errs []error
	set := c.set()
	for _, k := range keys.need {
		if !set[k] {
			errs = append(errs, fmt.Errorf("credential.%s: missing; type %s needs it", k, c.Type))
		}
		delete(set, k)
	}
	for _, k := range keys.may {
		delete(set, k)
	}
	for _, k := range []string{"tenant_id", "client_id", "token_file", "secret_file", "certificate_file", "certificate_password_file"} {
		if set[k] {
			errs = append(errs, fmt.Errorf("credential.%s: has no meaning for type %s; leave it out", k, c.Type))
		}
	}
	if _, ok := clouds[c.Cloud]; !ok {
		errs = append(errs, fmt.Errorf("credential.cloud: %q; use public, government or china", c.Cloud))
	}
	return errs
}

func (c *Credential) set() map[string]bool {
	return map[string]bool{
		"tenant_id": c.TenantID != "", "client_id": c.ClientID != "",
		"token_file": c.TokenFile != "", "secret_file": c.SecretFile != "",
		"certificate_file": c.CertificateFile != "", "certificate_password_file": c.CertificatePasswordFile != "",
	}
}

// token builds the credential. It reads files, but asks no service for
// anything. Errors begin with the key.
func (c *Credential) token() (azcore.TokenCredential, error) {
	cred, err := c.build()
	if err != nil && !strings.HasPrefix(err.Error(), "credential.") {
		return nil, fmt.Errorf("credential: type %s: %w", c.Type, err)
	}
	return cred, err
}

func (c *Credential) build() (azcore.TokenCredential, error) {
	options := azcore.ClientOptions{Cloud: clouds[c.Cloud]}
	if c.fixed != nil {
		return c.fixed, nil
	}
	switch c.Type {
	case "default":
		return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: options, TenantID: c.TenantID})
	case "workload-identity":
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: options, TenantID: c.TenantID, ClientID: c.ClientID, TokenFilePath: c.TokenFile,
		})
	case "managed-identity":
		o := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: options}
		if c.ClientID != "" {
			o.ID = azidentity.ClientID(c.ClientID)
		}
		return azidentity.NewManagedIdentityCredential(o)
	case "client-secret":
		secret, err := readSecret("credential.secret_file", c.SecretFile)
		if err != nil {
			return nil, err
		}
		return azidentity.NewClientSecretCredential(c.TenantID, c.ClientID, secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: options})
	case "client-certificate":
		return c.certificate(options)
	}
	return nil, fmt.Errorf("credential.type: %q is unknown", c.Type)
}

func (c *Credential) certificate(options azcore.ClientOptions) (azcore.TokenCredential, error) {
	data, err := os.ReadFile(c.CertificateFile)
	if err != nil {
		return nil, fmt.Errorf("credential.certificate_file: %w", err)
	}
	var password []byte
	if c.CertificatePasswordFile != "" {
		p, err := readSecret("credential.certificate_password_file", c.CertificatePasswordFile)
		if err != nil {
			return nil, err
		}
		password = []byte(p)
	}
	certs, key, err := azidentity.ParseCertificates(data, password)
	if err != nil {
		return nil, fmt.Errorf("credential.certificate_file: %s: %w; it must hold the certificate and its private key", c.CertificateFile, err)
	}
	return azidentity.NewClientCertificateCredential(c.TenantID, c.ClientID, certs, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: options, SendCertificateChain: true})
}

// readSecret reads a file that holds one secret; white space around it does not count.
func readSecret(key, path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	s := strings.TrimSpace(string(data))
	if s == "" {
		return "", fmt.Errorf("%s: %w", key, errors.New("file "+path+" is empty; write the secret into it"))
	}
	return s, nil
}
