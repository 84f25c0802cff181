// Package selfsigned makes a certificate that a server signs for itself, so that
// a new installation can speak TLS before it has one that browsers trust.
package selfsigned

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"time"
)

// Pair makes a P-256 key and a certificate for hosts, names or addresses, the
// first of them its subject. It holds from an hour before now, for clocks that
// are behind, until now + validity. Both are PEM.
func Pair(hosts []string, now time.Time, validity time.Duration) (certificate, key []byte, err error) {
	if len(hosts) == 0 {
		return nil, nil, errors.New("want at least one host")
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, fmt.Errorf("make a serial number: %w", err)
	}
	template := x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: hosts[0]},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(validity),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, private.Public(), private)
	if err != nil {
		return nil, nil, fmt.Errorf("sign the certificate: %w", err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, fmt.Errorf("encode the key: %w", err)
	}
	var c, k bytes.Buffer
	err = errors.Join(
		pem.Encode(&c, &pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.Encode(&k, &pem.Block{Type: "PRIVATE KEY", Bytes: encoded}),
	)
	return c.Bytes(), k.Bytes(), err
}

// Hosts are the names and addresses that a certificate is for.
func Hosts(c *x509.Certificate) []string {
	hosts := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		hosts = append(hosts, ip.String())
	}
	return hosts
}

// CheckHost reports why a name or an address can't stand in a certificate and
// in a web server's configuration; nil if it can.
func CheckHost(h string) error {
	if net.ParseIP(h) != nil {
		return nil
	}
	if len(h) == 0 || len(h) > 253 {
		return fmt.Errorf("%q is not a host: want a name of 1 to 253 characters or an address", h)
	}
	for i, r := range h {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && (r != '-' && r != '.' || i == 0 || i == len(h)-1) {
			return fmt.Errorf("%q is not a host: want letters, digits, hyphens and dots", h)
		}
	}
	return nil
}
