package deploy

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/async"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
	"github.com/daemonset-exporter/daemonset_exporter/test/exporter"
)

// secured is the real exporter with a web configuration.
type secured struct {
	t       *testing.T
	address string
	roots   *x509.CertPool
	log     *async.Buffer
}

const user, password = "prometheus", "correct horse"

// startSecured starts an exporter with a certificate that expires at notAfter and, if
// withPassword is set, basic authentication.
func startSecured(t *testing.T, notAfter time.Time, withPassword bool) *secured {
	t.Helper()
	binary(t)
	dir := t.TempDir()
	certificate, key := selfSigned(t, notAfter)
	web := "tls_server_config:\n  cert_file: tls.crt\n  key_file: tls.key\n"
	if withPassword {
		hash := check.Must(bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost))(t)
		web += fmt.Sprintf("basic_auth_users:\n  %s: %s\n", user, hash)
	}
	for name, content := range map[string][]byte{
		"tls.crt": certificate, "tls.key": key, "web-config.yaml": []byte(web), "kubeconfig": []byte(nowhere),
	} {
		check.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	s := &secured{t: t, roots: x509.NewCertPool(), log: &async.Buffer{}}
	s.roots.AppendCertsFromPEM(certificate)
	running := check.Must(exporter.Start(t.Context(), exporter.Config{
		Kubeconfig: filepath.Join(dir, "kubeconfig"),
		Args:       []string{"--web.config.file=" + filepath.Join(dir, "web-config.yaml")},
		Log:        s.log,
	}))(t)
	t.Cleanup(func() { _ = running.Kill() })
	s.address = strings.TrimPrefix(running.URL, "http://")
	return s
}

// ask sends a request over TLS and returns the status of the response.
func (s *secured) ask(path string, config *tls.Config, asks func(*http.Request)) (int, error) {
	s.t.Helper()
	config.RootCAs = s.roots
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	request := check.Must(http.NewRequestWithContext(s.t.Context(), http.MethodGet, "https://"+s.address+path, nil))(s.t)
	asks(request)
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

func anonymous(*http.Request) {}

func with(user, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(user, password) }
}

func TestWebConfig(t *testing.T) {
	t.Parallel()
	t.Run("basic authentication protects every path", func(t *testing.T) {
		t.Parallel()
		s := startSecured(t, time.Now().Add(time.Hour), true)
		for _, tc := range []struct {
			name string
			asks func(*http.Request)
			want int
		}{
			{"the right password", with(user, password), http.StatusOK},
			{"a wrong password", with(user, "wrong"), http.StatusUnauthorized},
			{"an unknown user", with("somebody", password), http.StatusUnauthorized},
			{"an empty password", with(user, ""), http.StatusUnauthorized},
			{"no password", anonymous, http.StatusUnauthorized},
			{"a token", func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, http.StatusUnauthorized},
		} {
			for _, path := range []string{"/metrics", "/", "/-/healthy"} {
				if got, err := s.ask(path, &tls.Config{}, tc.asks); err != nil || got != tc.want {
					t.Errorf("%s on %s: %d, %v; want %d", tc.name, path, got, err, tc.want)
				}
			}
		}
		check.That(t, !strings.Contains(s.log.String(), password), "the log contains a password")
	})
	t.Run("TLS 1.2 is the oldest version", func(t *testing.T) {
		t.Parallel()
		s := startSecured(t, time.Now().Add(time.Hour), false)
		for version, accepted := range map[uint16]bool{
			tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true,
		} {
			code, err := s.ask("/metrics", &tls.Config{MinVersion: version, MaxVersion: version}, anonymous)
			if name := tls.VersionName(version); accepted && (err != nil || code != http.StatusOK) {
				t.Errorf("%s: %d, %v", name, code, err)
			} else if !accepted && (err == nil || !strings.Contains(err.Error(), "protocol version")) {
				t.Errorf("%s is not rejected: %d, %v", name, code, err)
			}
		}
	})
	t.Run("plain HTTP on the TLS port returns no metrics", func(t *testing.T) {
		t.Parallel()
		s := startSecured(t, time.Now().Add(time.Hour), false)
		request := check.Must(http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.address+"/metrics", nil))(t)
		response, err := http.DefaultClient.Do(request)
		check.NoError(t, err)
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		check.That(t, response.StatusCode == http.StatusBadRequest && !strings.Contains(string(body), "daemonset_"), "%d %q", response.StatusCode, body)
	})
	t.Run("clients reject an expired certificate", func(t *testing.T) {
		t.Parallel()
		s := startSecured(t, time.Now().Add(-time.Hour), false)
		_, err := s.ask("/metrics", &tls.Config{}, anonymous)
		var invalid x509.CertificateInvalidError
		check.That(t, errors.As(err, &invalid) && invalid.Reason == x509.Expired, "got %v, want an expired certificate", err)
	})
	s := startSecured(t, time.Now().Add(time.Hour), false)
	for _, tc := range []struct{ name, sends, want string }{
		{"a client that never ends its header is disconnected", "GET /metrics HTTP/1.1\r\nHost: x\r\n", ""},
		{"a large header is rejected", "GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", "431"},
		{"other methods are rejected", "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "405"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dialer := tls.Dialer{Config: &tls.Config{RootCAs: s.roots, ServerName: "127.0.0.1"}}
			connection := check.Must(dialer.DialContext(t.Context(), "tcp", s.address))(t)
			defer connection.Close()
			check.NoError(t, connection.SetDeadline(time.Now().Add(patience)))
			// The server may close the connection before it has read everything.
			_, _ = io.WriteString(connection, tc.sends)
			line, err := bufio.NewReader(connection).ReadString('\n')
			var timeout net.Error
			check.Require(t, !errors.As(err, &timeout) || !timeout.Timeout(), "the connection stays open")
			check.That(t, strings.Contains(line, tc.want) && (tc.want != "" || !strings.Contains(line, "200")), "got %q, %v", line, err)
		})
	}
}

// selfSigned returns a self-signed certificate for 127.0.0.1.
func selfSigned(t *testing.T, notAfter time.Time) (certificate, key []byte) {
	t.Helper()
	private := check.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "daemonset-exporter"},
		NotBefore: notAfter.Add(-24 * time.Hour), NotAfter: notAfter,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der := check.Must(x509.CreateCertificate(rand.Reader, template, template, private.Public(), private))(t)
	encoded := check.Must(x509.MarshalPKCS8PrivateKey(private))(t)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}
