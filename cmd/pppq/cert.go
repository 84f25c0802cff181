package main

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
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
			if len(hosts) == 0 {
				text, err := describePair(cert, key)
				if errors.Is(err, fs.ErrNotExist) {
					return usageError("there is no pair in %s: name the hosts of a new one with --host", out)
				}
				if err != nil {
					return err
				}
				_, err = fmt.Fprint(w, text)
				return err
			}
			if days < 1 || days > 3650 {
				return usageError("want 1 to 3650 days, got %d", days)
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
			// Written in place: a mounted file is the same only as long as its inode is.
			if err := errors.Join(writePrivate(key, keyPEM), writePrivate(cert, certPEM)); err != nil {
				return err
			}
			text, err := describePair(cert, key)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(w, "wrote %s and %s\n%s", cert, key, text)
			return err
		},
	}
	cmd.Flags().StringArrayVar(&hosts, "host", nil, "name or address that the certificate is for; may be given again")
	cmd.Flags().StringVar(&out, "out", filepath.Dir(setup.Certificate), "folder of the pair")
	cmd.Flags().IntVar(&days, "days", int(setup.Validity.Hours()/24), "days that it holds")
	cmd.Flags().BoolVar(&replace, "replace", false, "write over a pair that is there")
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

// describePair says for whom and until when a pair holds; the error says if key
// and certificate don't belong together.
func describePair(cert, key string) (string, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return "", fmt.Errorf("read %s and %s: %w", cert, key, err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return "", fmt.Errorf("read %s: %w", cert, err)
	}
	names := leaf.DNSNames
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	sum := sha256.Sum256(leaf.Raw)
	return fmt.Sprintf("hosts        %s\nholds until  %s (%d days)\nserial       %x\nsha256       %s\n", strings.Join(names, ", "),
		leaf.NotAfter.UTC().Format(time.RFC3339), int(time.Until(leaf.NotAfter).Hours()/24), leaf.SerialNumber, hex.EncodeToString(sum[:])), nil
}
