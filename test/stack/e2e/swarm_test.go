package e2e

import (
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// The file for Swarm, deployed on a swarm of this one node: both replicas answer
// through the edge, and an update to the next image replaces both. It is the last
// of all tests: names of the other stack are not found any more after the node has
// left the swarm.
func TestSwarmDeploy(t *testing.T) {
	s := open(t)
	next := os.Getenv("PPPQ_IMAGE_NEXT")
	if s.engine() < 25 || next == "" {
		t.Skip("an engine older than 25, or no second image in PPPQ_IMAGE_NEXT: the file for Swarm is not deployed")
	}
	for _, port := range []string{":80", ":443"} {
		l, err := net.Listen("tcp", port)
		if err != nil {
			t.Skipf("the file for Swarm publishes %s, which is taken here: it is not deployed", port)
		}
		l.Close()
	}
	s.run("docker", "swarm", "init", "--advertise-addr", "127.0.0.1")
	defer s.try("docker", "swarm", "leave", "--force")
	s.run("docker", "node", "update", "--label-add", "pppq.data=true", s.run("docker", "info", "-f", "{{.Name}}"))
	s.run("docker", "secret", "create", "api_keys", "secrets/api_keys")
	for _, name := range []string{"certificate.crt", "private.key"} {
		s.run("docker", "secret", "create", name, "docker/ssl/"+name)
	}
	const image = "pppq-api:latest" // as test/stack/run.sh built it; next differs by a label
	t.Setenv("PPPQ_IMAGE", image)
	t.Setenv("NGINX_IMAGE", s.ports["NGINX_IMAGE"])
	start := time.Now()
	s.run("docker", "stack", "deploy", "--detach=true", "--resolve-image", "never", "-c", "deploy/swarm.yml", "swarmed")
	defer func() {
		s.run("docker", "stack", "rm", "swarmed")
		for range 60 { // containers go after their services
			if out, err := s.try("docker", "ps", "-aq", "--filter", "label=com.docker.stack.namespace=swarmed"); err == nil && strings.TrimSpace(out) == "" {
				break
			}
			time.Sleep(500 * time.Millisecond)
		}
		s.try("docker", "volume", "rm", "swarmed_data", "swarmed_models", "swarmed_nginx_cache")
	}()
	images := func(image string) (running int) {
		for _, line := range strings.Split(s.run("docker", "service", "ps", "--filter", "desired-state=running", "--format", "{{.Image}} {{.CurrentState}}", "swarmed_api"), "\n") {
			if strings.HasPrefix(line, image+" Running") {
				running++
			}
		}
		return running
	}
	// The tasks' own probes decide on "Running", and the first training comes before.
	answers := func() bool {
		resp, err := newClient().Get("https://" + host + "/api/v1/forecast/Gold?horizon_years=5")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}
	s.eventually(4*time.Minute, "two replicas and a forecast through the edge of the swarm", func() bool { return images(image) == 2 && answers() })
	up := time.Since(start)
	start = time.Now()
	if out, err := s.try("docker", "service", "update", "--detach=true", "--update-monitor", "5s", "--no-resolve-image", "--image", next, "swarmed_api"); err != nil {
		t.Fatalf("update: %v\n%s", err, out)
	}
	s.eventually(3*time.Minute, "two replicas of the next image", func() bool { return images(next) == 2 && images(image) == 0 && answers() })
	t.Logf("deployed, trained and answering after %v; both replicas updated in %v", up.Round(time.Second), time.Since(start).Round(time.Second))
}
