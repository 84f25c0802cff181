package main

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pppq/pppq/internal/selfsigned"
	"github.com/pppq/pppq/internal/setup"
)

func certCommand() *cobra.Command {
	var (
		hosts   []string
		out     string
		days    int
		replace bool
		asJSON  bool
	)
	cmd := &cobra.Command{
		Use: "cert", Short: "Make a self-signed certificate, or show the one that is there", Args: exactly(0, "no arguments"),
		Long: `Cert writes certificate.crt and private.key for the given hosts. Where both stand it
shows for whom and until when they hold, and writes nothing unless --replace is given.
Nginx reads a replaced pair when it is told: docker compose -f docker-compose.prod.yml kill -s HUP nginx`,
		Example: "  pppq cert --host localhost --out docker/ssl\n  pppq cert --out docker/ssl",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cert := filepath.Join(out, filepath.Base(setup.Certificate))
			key := filepath.Join(out, filepath.Base(setup.PrivateKey))
			w := cmd.OutOrStdout()
			if days < 1 || days > 3650 {
				return usageError("--days %d: want 1 to 3650", days)
			}
			if len(hosts) == 0 {
				if replace || cmd.Flags().Changed("days") {
					return usageError("name the hosts of the new pair with --host")
				}
				p, err := describePair(cert, key)
				if errors.Is(err, fs.ErrNotExist) {
					return usageError("there is no pair in %s: name the hosts of a new one with --host", out)
				}
				if err != nil {
					return err
				}
				return p.print(w, asJSON)
			}
			for _, h := range hosts {
				if err := selfsigned.CheckHost(h); err != nil {
					return &exitError{exitUsage, err}
				}
			}
			if !replace {
				for _, path := range []string{cert, key} {
					if _, err := os.Lstat(path); err == nil {
						return refused("%s is already there: --replace writes a new pair over it", path)
					}
				}
			}
			certPEM, keyPEM, err := selfsigned.Pair(hosts, time.Now(), time.Duration(days)*24*time.Hour)
			if err != nil {
				return err
			}
			if err := os.MkdirAll(out, 0o750); err != nil {
				return err
			}
			// Written in place: a mounted file is the same only as long as its inode is.
			if err := writePrivate(key, keyPEM); err != nil {
				return err
			}
			if err := writePrivate(cert, certPEM); err != nil {
				return err
			}
			p, err := describePair(cert, key)
			if err != nil {
				return err
			}
			p.Written = true
			return p.print(w, asJSON)
		},
	}
	cmd.Flags().StringArrayVar(&hosts, "host", nil, "name or address that the certificate is for; may be given again")
	cmd.Flags().StringVar(&out, "out", filepath.Dir(setup.Certificate), "folder of the pair")
	cmd.Flags().IntVar(&days, "days", int(setup.Validity.Hours()/24), "days that it holds")
	cmd.Flags().BoolVar(&replace, "replace", false, "write over a pair that is there")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// writePrivate writes a file that its owner and group may read; one that stands
// keeps its owner.
func writePrivate(path string, content []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(content); err != nil {
		return err
	}
	return f.Sync()
}

// certificatePair is what a certificate says of itself.
type certificatePair struct {
	Certificate string    `json:"certificate"`
	Key         string    `json:"key"`
	Written     bool      `json:"written"`
	Hosts       []string  `json:"hosts"`
	HoldsUntil  time.Time `json:"holds_until"`
	Serial      string    `json:"serial"`
	SHA256      string    `json:"sha256"`
}

// describePair says for whom and until when a pair holds; the error says if key
// and certificate don't belong together.
func describePair(cert, key string) (*certificatePair, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("read %s and %s: %w", cert, key, err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", cert, err)
	}
	sum := sha256.Sum256(leaf.Raw)
	return &certificatePair{
		Certificate: cert, Key: key, Hosts: selfsigned.Hosts(leaf), HoldsUntil: leaf.NotAfter.UTC(),
		Serial: fmt.Sprintf("%x", leaf.SerialNumber), SHA256: hex.EncodeToString(sum[:]),
	}, nil
}

func (p *certificatePair) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(w, p)
	}
	if p.Written {
		fmt.Fprintf(w, "wrote %s and %s\n", p.Certificate, p.Key)
	}
	_, err := fmt.Fprintf(w, "hosts        %s\nholds until  %s (%d days)\nserial       %s\nsha256       %s\n", strings.Join(p.Hosts, ", "),
		p.HoldsUntil.Format(time.RFC3339), int(time.Until(p.HoldsUntil).Hours()/24), p.Serial, p.SHA256)
	return err
}
