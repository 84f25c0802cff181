package doctor

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pppq/pppq/internal/selfsigned"
)

// maxFile bounds what is read of a certificate or a time stamp.
const maxFile = 1 << 20

func readSmall(path string) ([]byte, error) {
	stat, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if stat.Size() > maxFile {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, maxFile)
	}
	return os.ReadFile(path)
}

// CertificateEnd is until when the first certificate of a PEM file holds, and
// for which names and addresses.
func CertificateEnd(path string) (until time.Time, hosts string, err error) {
	text, err := readSmall(path)
	if err != nil {
		return time.Time{}, "", err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return time.Time{}, "", fmt.Errorf("%s: want a certificate in PEM form", path)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}, "", fmt.Errorf("%s: %w", path, err)
	}
	return cert.NotAfter, strings.Join(selfsigned.Hosts(cert), ", "), nil
}

// LastBackup is when docker/backup.sh last succeeded: the seconds since 1970 in
// the file last_success.
func LastBackup(dir string) (time.Time, error) {
	path := filepath.Join(dir, "last_success")
	text, err := readSmall(path)
	if err != nil {
		return time.Time{}, err
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: want seconds since 1970", path)
	}
	return time.Unix(seconds, 0), nil
}

// sqlitePath is the file of a SQLite URL: sqlite:PATH, or sqlite:///PATH.
func sqlitePath(url string) (string, bool) {
	path, ok := strings.CutPrefix(url, "sqlite:")
	return strings.TrimPrefix(path, "///"), ok
}
