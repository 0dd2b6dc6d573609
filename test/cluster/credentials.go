package cluster

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// user is a user with a static token. Those of the control plane have the names of
// Kubernetes' bootstrap role bindings: every component has the permissions that it
// has in a real cluster.
type user struct {
	name  string
	group string
}

func users() []user {
	return []user{
		{name: "admin", group: "system:masters"},
		{name: "kwok", group: "system:masters"}, // simulates every kubelet
		{name: "system:kube-controller-manager", group: "system:authenticated"},
		{name: "system:kube-scheduler", group: "system:authenticated"},
	}
}

// Files of the working directory.
const (
	servingCert       = "apiserver.crt"
	servingKey        = "apiserver.key"
	serviceAccountKey = "service-account.key"
	tokens            = "tokens.csv"
)

// kubeconfig returns the name of a user's kubeconfig in the working directory.
func kubeconfig(name string) string {
	return strings.TrimPrefix(name, "system:") + ".kubeconfig"
}

// authority is the certificate that clients trust, and its key.
type authority struct{ cert, key []byte }

// writeCredentials writes the keys, certificates and kubeconfigs of all components.
func writeCredentials(dir *workdir, server string) (authority, error) {
	cert, key, err := servingCertificate()
	if err != nil {
		return authority{}, fmt.Errorf("make certificate: %w", err)
	}
	_, accountKey, err := newKey()
	if err != nil {
		return authority{}, fmt.Errorf("make service account key: %w", err)
	}
	files := map[string][]byte{servingCert: cert, servingKey: key, serviceAccountKey: accountKey}

	var csv strings.Builder
	for _, u := range users() {
		token := rand.Text()
		fmt.Fprintf(&csv, "%s,%s,%s,%q\n", token, u.name, u.name, u.group)
		content, err := clientcmd.Write(clientConfig(server, cert, u.name, token))
		if err != nil {
			return authority{}, fmt.Errorf("make kubeconfig of %s: %w", u.name, err)
		}
		files[kubeconfig(u.name)] = content
	}
	files[tokens] = []byte(csv.String())

	for name, content := range files {
		if err := os.WriteFile(dir.file(name), content, 0o600); err != nil {
			return authority{}, fmt.Errorf("write credentials: %w", err)
		}
	}
	return authority{cert, key}, nil
}

func clientConfig(server string, ca []byte, name, token string) clientcmdapi.Config {
	return clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"test": {Server: server, CertificateAuthorityData: ca}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{name: {Token: token}},
		Contexts:       map[string]*clientcmdapi.Context{"test": {Cluster: "test", AuthInfo: name}},
		CurrentContext: "test",
	}
}

// servingCertificate returns the API server's self-signed certificate, the only one
// that clients trust; see RotateCertificate.
func servingCertificate() (certPEM, keyPEM []byte, err error) {
	key, keyPEM, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	template := servingTemplate()
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	return pemCertificate(der), keyPEM, nil
}

func servingTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "kube-apiserver"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().AddDate(1, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
		DNSNames:              []string{"localhost", "kubernetes.default.svc"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
}

func pemCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// RotateCertificate replaces the API server's key and serving certificate by new ones, which
// the first certificate has signed: clients go on trusting that. It returns when the API
// server presents the new certificate to new connections; those that are open stay so.
func (c *Cluster) RotateCertificate(ctx context.Context) error {
	cert, keyPEM, err := c.renewedCertificate()
	if err != nil {
		return fmt.Errorf("renew certificate: %w", err)
	}
	for name, content := range map[string][]byte{servingKey: keyPEM, servingCert: pemCertificate(cert.Raw)} {
		if err := os.WriteFile(c.dir.file(name), content, 0o600); err != nil {
			return fmt.Errorf("renew certificate: %w", err)
		}
	}
	server, err := url.Parse(c.rest.Host)
	if err != nil {
		return fmt.Errorf("address of the API server: %w", err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(c.rest.CAData)
	dialer := tls.Dialer{Config: &tls.Config{RootCAs: trusted}}
	return c.Wait(ctx, "the API server to present its new certificate", func(ctx context.Context) (bool, string, error) {
		connection, err := dialer.DialContext(ctx, "tcp", server.Host)
		if err != nil {
			return false, "", err
		}
		defer connection.Close()
		secured, ok := connection.(*tls.Conn)
		if !ok {
			return false, fmt.Sprintf("a %T", connection), nil
		}
		presented := secured.ConnectionState().PeerCertificates[0]
		return presented.Equal(cert), "serial number " + presented.SerialNumber.String(), nil
	}, APIServer)
}

// renewedCertificate returns a certificate with a new key. Clients trust what the first one,
// which they have in their kubeconfigs, has signed.
func (c *Cluster) renewedCertificate() (cert *x509.Certificate, keyPEM []byte, err error) {
	authority, err := tls.X509KeyPair(c.authority.cert, c.authority.key)
	if err != nil {
		return nil, nil, err
	}
	key, keyPEM, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	template := servingTemplate()
	template.SerialNumber = new(big.Int).SetInt64(time.Now().UnixNano())
	template.Subject.CommonName += " renewed" // not that of its issuer
	template.IsCA, template.KeyUsage = false, x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, authority.Leaf, key.Public(), authority.PrivateKey)
	if err != nil {
		return nil, nil, err
	}
	cert, err = x509.ParseCertificate(der)
	return cert, keyPEM, err
}

func newKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}
