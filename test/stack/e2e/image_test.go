package e2e

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"debug/buildinfo"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maxImage is how many bytes the image of the service may have: 25 MiB.
const maxImage = 25 << 20

// files of an image, by name, as `docker export` gives them.
func (s *stack) files(image string) map[string][]byte {
	s.Helper()
	id := s.run("docker", "create", image)
	defer s.try("docker", "rm", id)
	path := filepath.Join(s.TempDir(), "image.tar")
	s.run("docker", "export", "-o", path, id)
	return s.archive(path)
}

// archive reads a tar file: what it holds, by name.
func (s *stack) archive(path string) map[string][]byte {
	s.Helper()
	f, err := os.Open(path)
	if err != nil {
		s.Fatal(err)
	}
	defer f.Close()
	found := map[string][]byte{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			s.Fatal(err)
		}
		content, err := io.ReadAll(io.LimitReader(r, 64<<20))
		if err != nil {
			s.Fatal(err)
		}
		found[strings.Trim(h.Name, "/")] = content
	}
}

// What the image holds is the program, certificates, names and empty folders;
// neither a shell nor anything else to run.
func TestImage(t *testing.T) {
	s := open(t)
	image := s.ports["PPPQ_IMAGE"]
	var about []struct {
		Size   int64
		Config struct {
			User        string
			WorkingDir  string
			Labels      map[string]string
			Healthcheck struct{ Test []string }
		}
	}
	if err := json.Unmarshal([]byte(s.run("docker", "image", "inspect", image)), &about); err != nil || len(about) != 1 {
		t.Fatalf("docker image inspect: %v", err)
	}
	i := about[0]
	// Engines count layers packed or unpacked: the files count.
	files, size := s.files(image), 0
	for _, content := range files {
		size += len(content)
	}
	t.Logf("image: %d bytes of files, %.1f MiB; %.1f MiB as this engine stores it", size, float64(size)/(1<<20), float64(i.Size)/(1<<20))
	if size > maxImage || i.Size > maxImage {
		t.Errorf("the image has %d bytes in files, %d as stored, want at most %d", size, i.Size, maxImage)
	}
	if i.Config.User != "65532:65532" || i.Config.WorkingDir != "/app" || !slices.Equal(i.Config.Healthcheck.Test, []string{"CMD", "/usr/local/bin/pppq", "healthcheck"}) {
		t.Errorf("user %s, folder %s, health check %q", i.Config.User, i.Config.WorkingDir, i.Config.Healthcheck.Test)
	}
	var v struct{ Version, Revision, Built string }
	if err := json.Unmarshal([]byte(s.run("docker", "run", "--rm", image, "version", "--json")), &v); err != nil {
		t.Fatal(err)
	}
	for label, want := range map[string]string{"version": v.Version, "revision": v.Revision, "created": v.Built, "licenses": "Apache-2.0", "source": "https://github.com/pppq/pppq"} {
		if got := i.Config.Labels["org.opencontainers.image."+label]; got != want || got == "" || got == "unknown" {
			t.Errorf("label %s: got %q, want %q", label, got, want)
		}
	}
	allowed := []string{".dockerenv", "dev", "dev/console", "dev/pts", "dev/shm", "proc", "sys", "etc", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf", "etc/passwd", "etc/group",
		"etc/ssl", "etc/ssl/certs", "etc/ssl/certs/ca-certificates.crt", "tmp", "app", "app/data", "app/models", "app/backups", "usr", "usr/local", "usr/local/bin", "usr/local/bin/pppq"}
	for name := range files {
		if !slices.Contains(allowed, name) {
			t.Errorf("the image holds %s", name)
		}
	}
	if !strings.Contains(string(files["etc/passwd"]), "\npppq:x:65532:65532:") {
		t.Errorf("/etc/passwd: %s", files["etc/passwd"])
	}
	roots := 0
	for rest := files["etc/ssl/certs/ca-certificates.crt"]; ; roots++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			t.Errorf("CA certificate %d: %v", roots, err)
		}
	}
	if roots < 100 {
		t.Errorf("%d CA certificates, want at least 100", roots)
	}
	info, err := buildinfo.Read(bytes.NewReader(files["usr/local/bin/pppq"]))
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	for _, b := range info.Settings {
		settings[b.Key] = b.Value
	}
	if settings["-tags"] != "timetzdata" || settings["CGO_ENABLED"] != "0" || settings["-trimpath"] != "true" {
		t.Errorf("built with %v; want the time zones, no C, no paths", settings)
	}
	var bill struct{ Components []struct{ Name string } }
	if err := json.Unmarshal([]byte(s.run("docker", "run", "--rm", image, "version", "--sbom")), &bill); err != nil || len(bill.Components) < len(info.Deps) {
		t.Errorf("bill of materials: %d components, %v; the program has %d modules", len(bill.Components), err, len(info.Deps))
	}
	t.Logf("%s, %d modules, %d CA certificates, files: %d", info.GoVersion, len(bill.Components), roots, len(files))
	for _, shell := range []string{"sh", "/bin/sh", "bash", "apt", "apk"} {
		if out, err := s.try("docker", "run", "--rm", "--entrypoint", shell, image, "-c", "true"); err == nil {
			t.Errorf("the image runs %s: %s", shell, out)
		}
	}
}

// Files that must not leave this machine are planted in the checkout; neither
// what the build sees nor what it makes has them.
func TestImageHoldsNothingSecret(t *testing.T) {
	s := open(t)
	const canary = "canary-4f1d2a"
	for _, name := range []string{".env", ".env.prod", ".git/config", "secrets/canary", "docker/ssl/canary.key", "cmd/pppq/.env.prod", "cmd/pppq/private.key", "internal/api/server.pem",
		"internal/api/testdata/secret", "models/canary", "data/series/canary.csv", "client/.netrc"} {
		path := filepath.Join(s.dev, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(canary+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		defer os.Remove(path)
	}
	for _, stage := range []string{"build", "development", "production"} {
		s.runIn(s.dev, "docker", "build", "-q", "--build-arg", "GO_IMAGE="+os.Getenv("GO_IMAGE"), "-f", "docker/Dockerfile", "--target", stage, "-t", "pppq-canary:"+stage, ".")
	}
	for _, stage := range []string{"build", "development"} {
		out, err := s.try("docker", "run", "--rm", "--user", "0", "--entrypoint", "grep", "pppq-canary:"+stage, "-rlE", canary+"|BEGIN .*PRIVATE KEY-----$", "/src")
		if strings.Contains(out, "_test.go") || err == nil {
			t.Errorf("stage %s has %s", stage, out)
		}
		if out, err := s.try("docker", "run", "--rm", "--user", "0", "--entrypoint", "grep", "pppq-canary:"+stage, "-rlq", "package main", "/src"); err != nil {
			t.Errorf("stage %s: the search finds nothing at all: %v %s", stage, err, out)
		}
	}
	for name, content := range s.files("pppq-canary:production") {
		if bytes.Contains(content, []byte(canary)) {
			t.Errorf("the image has a canary in %s", name)
		}
	}
}

// The Dockerfile is clean by the builder's own rules.
func TestDockerfile(t *testing.T) {
	s := open(t)
	if s.engine() < 27 {
		t.Skip("docker build --check needs Engine 27: the Dockerfile is built and not checked")
	}
	out := s.runIn(s.dev, "docker", "build", "--check", "--build-arg", "GO_IMAGE="+os.Getenv("GO_IMAGE"), "-f", "docker/Dockerfile", ".")
	if !strings.Contains(out, "no warnings found") {
		t.Errorf("docker build --check:\n%s", out)
	}
}

// A build that takes no step from an earlier one gives the same archive, byte for
// byte; another one comes with a statement of how it was built.
func TestReproducibleImage(t *testing.T) {
	s := open(t)
	if !strings.Contains(s.run("docker", "info", "-f", "{{.DriverStatus}}"), "io.containerd.snapshotter") {
		t.Skip("this engine's image store exports no OCI archive (Engine 28 with --feature containerd-snapshotter=true does): two builds are not compared")
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1767225600")
	label := func(name string) string {
		return s.run("docker", "image", "inspect", "-f", `{{index .Config.Labels "org.opencontainers.image.`+name+`"}}`, "pppq-api:latest")
	}
	revision, created := label("revision"), label("created")
	dir := t.TempDir()
	export := func(name string, options ...string) map[string][]byte {
		path := filepath.Join(dir, name)
		s.run("docker", append(append([]string{"buildx", "build", "-q"}, options...), "--build-arg", "GO_IMAGE="+os.Getenv("GO_IMAGE"), "--build-arg", "VCS_REF="+revision,
			"--build-arg", "BUILD_DATE="+created, "-f", "docker/Dockerfile", "--output", "type=oci,dest="+path+",rewrite-timestamp=true", ".")...)
		return s.archive(path)
	}
	export("1.tar", "--provenance=false")
	export("2.tar", "--provenance=false", "--no-cache")
	one, err1 := os.ReadFile(filepath.Join(dir, "1.tar"))
	two, err2 := os.ReadFile(filepath.Join(dir, "2.tar"))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if len(one) == 0 || !bytes.Equal(one, two) {
		t.Errorf("two builds: %d and %d bytes, sha256 %x and %x, want the same", len(one), len(two), sha256.Sum256(one), sha256.Sum256(two))
	}
	t.Logf("two builds, each %d bytes: sha256 %x", len(one), sha256.Sum256(one))

	type descriptor struct {
		Digest      string
		Annotations map[string]string
	}
	type manifest struct{ Manifests, Layers []descriptor }
	files := export("3.tar", "--provenance=mode=max")
	read := func(name string) (m manifest) {
		if err := json.Unmarshal(files[name], &m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return m
	}
	blob := func(d descriptor) string { return "blobs/" + strings.Replace(d.Digest, ":", "/", 1) }
	statement := ""
	for _, top := range read("index.json").Manifests {
		for _, m := range read(blob(top)).Manifests {
			if m.Annotations["vnd.docker.reference.type"] != "attestation-manifest" {
				continue
			}
			for _, l := range read(blob(m)).Layers {
				if strings.HasPrefix(l.Annotations["in-toto.io/predicate-type"], "https://slsa.dev/provenance/") {
					statement = string(files[blob(l)])
				}
			}
		}
	}
	for _, want := range []string{"VCS_REF", revision, "go build -trimpath"} {
		if !strings.Contains(statement, want) {
			t.Errorf("the provenance (%d bytes) does not name %s", len(statement), want)
		}
	}
}

// What a registry gives by tag it gives by digest too.
func TestPullByDigest(t *testing.T) {
	s := open(t)
	image := s.ports["PPPQ_IMAGE"]
	pinned := s.run("docker", "image", "inspect", "-f", "{{index .RepoDigests 0}}", image)
	if name, digest, ok := strings.Cut(pinned, "@sha256:"); !ok || len(digest) != 64 || !strings.HasPrefix(image, name) {
		t.Fatalf("digest of %s: got %q", image, pinned)
	}
	s.run("docker", "pull", "-q", pinned)
	out := s.run("docker", "compose", "-f", "docker-compose.prod.yml", "pull", "--policy", "always", "api")
	t.Logf("pulled %s; compose pull: %s", pinned, strings.Join(strings.Fields(out), " "))
	if got := s.run("docker", "run", "--rm", pinned, "version"); !strings.HasPrefix(got, "pppq ") {
		t.Errorf("by digest: %s", got)
	}
}

// The script that pins asks the registry, keeps the other lines, and writes
// nothing if an image is not to be had.
func TestPin(t *testing.T) {
	s := open(t)
	image := s.ports["PPPQ_IMAGE"]
	pinned := s.run("docker", "image", "inspect", "-f", "{{index .RepoDigests 0}}", image)
	_, digest, _ := strings.Cut(pinned, "@")
	file := filepath.Join(t.TempDir(), "images")
	before := "# images\nPPPQ_IMAGE=" + image + "@sha256:" + strings.Repeat("0", 64) + "\nAPI_REPLICAS=2\n"
	if err := os.WriteFile(file, []byte(before), 0o640); err != nil {
		t.Fatal(err)
	}
	s.run("docker/pin.sh", file)
	want := "# images\nPPPQ_IMAGE=" + image + "@" + digest + "\nAPI_REPLICAS=2\n"
	after, err := os.ReadFile(file)
	if err != nil || string(after) != want {
		t.Errorf("got %s, %v, want %s", after, err, want)
	}
	missing := want + "NGINX_IMAGE=" + image + "-none\n"
	if err := os.WriteFile(file, []byte(missing), 0o640); err != nil {
		t.Fatal(err)
	}
	if out, err := s.try("docker/pin.sh", file); err == nil || !strings.Contains(out, "stays as it is") {
		t.Errorf("an image that is not there: %s, %v", out, err)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != missing {
		t.Errorf("got %s, %v, want it unchanged", after, err)
	}
	t.Logf("%s@%s", image, digest)
}
