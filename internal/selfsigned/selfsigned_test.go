package selfsigned

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"testing"
	"time"
)

func TestPair(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	cert, key, err := Pair([]string{"api.example.com", "localhost", "::1"}, now, 48*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatalf("the certificate is not for the key: %v", err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Hosts(leaf), []string{"api.example.com", "localhost", "::1"}; !slices.Equal(got, want) {
		t.Errorf("Hosts: got %q, want %q", got, want)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	for _, c := range []struct {
		host string
		at   time.Time
		ok   bool
	}{
		{"api.example.com", now, true},
		{"localhost", now, true},
		{"[::1]", now, true},
		{"other.example.com", now, false},
		{"api.example.com", now.Add(-30 * time.Minute), true},
		{"api.example.com", now.Add(49 * time.Hour), false},
	} {
		_, err := leaf.Verify(x509.VerifyOptions{DNSName: c.host, Roots: roots, CurrentTime: c.at})
		if (err == nil) != c.ok {
			t.Errorf("Verify(%s, %s): got %v, want ok %t", c.host, c.at, err, c.ok)
		}
	}
	if _, _, err := Pair(nil, now, time.Hour); err == nil {
		t.Error("Pair without hosts: got no error")
	}
}

func TestCheckHost(t *testing.T) {
	t.Parallel()
	for host, ok := range map[string]bool{
		"api.example.com": true, "localhost": true, "127.0.0.1": true, "::1": true, "a": true,
		"": false, "a b": false, "a;b": false, "-a": false, "a.": false, "a/b": false, "*.a": false, "a{": false,
	} {
		if err := CheckHost(host); (err == nil) != ok {
			t.Errorf("CheckHost(%q): got %v, want ok %t", host, err, ok)
		}
	}
}
