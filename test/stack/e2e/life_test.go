package e2e

import (
	"bufio"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// instances counts which replica answered each of n requests, by the edge's log.
func (s *stack) instances(n int) map[string]int {
	s.Helper()
	ids := map[string]bool{}
	for range n {
		a := s.get(s.https() + "/api/v1/assets")
		if a.StatusCode != http.StatusOK {
			s.Fatalf("GET /api/v1/assets: %s", a.Status)
		}
		ids[a.Header.Get("X-Request-Id")] = true
	}
	got := map[string]int{}
	s.eventually(10*time.Second, "the edge's log has every request", func() bool {
		clear(got)
		found := 0
		for _, line := range strings.Split(s.compose("logs", "--no-log-prefix", "--tail", "2000", "nginx"), "\n") {
			var l struct {
				ID       string `json:"id"`
				Upstream string `json:"upstream"`
			}
			if json.Unmarshal([]byte(line), &l) == nil && ids[l.ID] {
				got[l.Upstream]++
				found++
			}
		}
		return found == n
	})
	return got
}

func TestScaleUnderLoad(t *testing.T) {
	s := open(t)
	s.unlimited()
	s.scale(1)
	time.Sleep(3 * time.Second)
	l := s.start(4)
	s.scale(3)
	time.Sleep(5 * time.Second)
	shares := s.instances(60)
	targets := func() int {
		var r struct {
			Data struct{ Result []struct{ Value [2]any } }
		}
		a := s.get("http://127.0.0.1:" + s.ports["PROMETHEUS_PORT"] + "/api/v1/query?query=count(up%7Bjob%3D%22api%22%7D%3D%3D1)")
		if json.Unmarshal(a.body, &r) != nil || len(r.Data.Result) != 1 || r.Data.Result[0].Value[1] != "3" {
			return 0
		}
		return 3
	}
	took := s.eventually(time.Minute, "Prometheus scrapes 3 replicas", func() bool { return targets() == 3 })
	t.Logf("Prometheus scrapes 3 replicas after %v", took)
	s.scale(1)
	time.Sleep(3 * time.Second)
	sent, failed, faults := l.end()
	t.Logf("1 -> 3 -> 1: %d requests, %d failed %v; shares of 60: %v", sent, failed, faults, shares)
	if failed > 0 {
		t.Errorf("%d of %d requests failed: %v\n%s", failed, sent, faults, s.edgeFaults())
	}
	if len(shares) != 3 {
		t.Errorf("60 requests went to %v, want 3 replicas", shares)
	}
	for replica, n := range shares {
		if n < 10 {
			t.Errorf("replica %s got %d of 60, want at least 10", replica, n)
		}
	}
	// New addresses are followed too.
	s.compose("up", "-d", "--force-recreate", "--no-deps", "--scale", "api=2", "api")
	s.ready("api")
	t.Logf("all replicas made anew: the edge answers again %v after they are ready", s.eventually(20*time.Second, "the edge finds the new replicas", s.healthy).Round(time.Millisecond))
}

// edgeFaults are the edge's own words on what failed in the last minutes.
func (s *stack) edgeFaults() string {
	s.Helper()
	var faults []string
	for _, line := range strings.Split(s.compose("logs", "--no-log-prefix", "--since", "3m", "nginx"), "\n") {
		if strings.Contains(line, `"status":5`) || strings.Contains(line, "[error]") || strings.Contains(line, "[warn]") {
			faults = append(faults, line)
		}
	}
	return strings.Join(faults[max(0, len(faults)-20):], "\n")
}

// kinds sums up faults by what is left of their texts without addresses.
func kinds(faults map[string]int) map[string]int {
	sum := map[string]int{}
	for text, n := range faults {
		sum[text[strings.LastIndex(text, ": ")+1:]] += n
	}
	return sum
}

// Kill -9 of one service after the other under load: what callers see.
func TestKills(t *testing.T) {
	s := open(t)
	s.unlimited()
	for _, c := range []struct {
		service string
		// failures says whether callers may see any.
		failures bool
	}{{"prometheus", false}, {"mlflow-db", false}, {"watch", false}, {"api", true}, {"nginx", true}} {
		id := s.containers(c.service)[0]
		l := s.start(4)
		time.Sleep(2 * time.Second)
		// The engine takes its own kill for a wish to stop and would not restart
		// it: end the process itself.
		pid := s.run("docker", "inspect", "-f", "{{.State.Pid}}", id)
		s.run("kill", "-9", pid)
		took := s.eventually(20*time.Second, c.service+" runs again", func() bool {
			out, err := s.try("docker", "inspect", "-f", "{{.State.Running}} {{.State.Pid}}", id)
			return err == nil && strings.HasPrefix(out, "true") && !strings.Contains(out, " "+pid+"\n")
		})
		s.eventually(10*time.Second, "health", s.healthy)
		time.Sleep(2 * time.Second)
		sent, failed, faults := l.end()
		t.Logf("kill -9 %-10s runs again after %v; %d of %d requests failed %v", c.service, took.Round(time.Millisecond), failed, sent, kinds(faults))
		if failed > 0 && !c.failures {
			t.Errorf("kill -9 %s: %d of %d requests failed: %v", c.service, failed, sent, faults)
		}
		// One of two replicas: what was in flight there and no more.
		if c.service == "api" && failed > 8 {
			t.Errorf("kill -9 of a replica: %d requests failed, want at most the 8 that can have been in flight", failed)
		}
	}
	s.postedOnce()
}

func TestCertificateReload(t *testing.T) {
	s := open(t)
	s.unlimited()
	crt, key := filepath.Join(s.dir, "docker/ssl/certificate.crt"), filepath.Join(s.dir, "docker/ssl/private.key")
	oldCrt, err1 := os.ReadFile(crt)
	oldKey, err2 := os.ReadFile(key)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	set := func(c, k []byte) {
		if err := os.WriteFile(crt, c, 0o640); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(key, k, 0o640); err != nil {
			t.Fatal(err)
		}
		s.reload()
	}
	t.Cleanup(func() { set(oldCrt, oldKey) })
	l := s.start(3)
	time.Sleep(time.Second)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(4711), DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	set(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
	s.eventually(10*time.Second, "the new serial number", func() bool {
		state, err := s.handshake(&tls.Config{ServerName: host})
		return err == nil && state.PeerCertificates[0].SerialNumber.Int64() == 4711
	})
	for name, id := range map[string]uint16{"RSA AES128 GCM": tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "RSA AES256 GCM": tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		"RSA ChaCha20": tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256} {
		_, err := s.handshake(suite(id))
		t.Logf("with an RSA certificate, %-17s ok %t", name, err == nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, id := range map[string]uint16{"RSA key exchange": tls.TLS_RSA_WITH_AES_128_GCM_SHA256, "ECDHE RSA CBC": tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA} {
		_, err := s.handshake(suite(id))
		t.Logf("with an RSA certificate, %-17s ok %t: %v", name, err == nil, err)
		if err == nil {
			t.Errorf("%s: got a connection, want a refusal", name)
		}
	}
	time.Sleep(time.Second)
	sent, failed, faults := l.end()
	t.Logf("new pair under load: %d requests, %d failed %v", sent, failed, faults)
	if failed > 0 {
		t.Errorf("%d of %d requests failed: %v", failed, sent, faults)
	}
}

// docker stop lets a request that has begun finish, and the program exits 0.
func TestGracefulStop(t *testing.T) {
	s := open(t)
	s.unlimited()
	id := s.containers("api")[0]
	// One caller has sent half of its request to this replica when the stop comes.
	const question = `{"asset":"Gold","horizon_years":5}`
	address := s.run("docker", "inspect", "-f", `{{(index .NetworkSettings.Networks "pppq-network-app").IPAddress}}`, id)
	conn, err := net.DialTimeout("tcp", address+":8000", 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /api/v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(question), question[:10])
	l := s.start(4)
	time.Sleep(time.Second)
	stopped := make(chan string, 1)
	go func() {
		out, err := s.try("docker", "stop", "-t", "45", id)
		stopped <- fmt.Sprint(strings.TrimSpace(out), err)
	}()
	time.Sleep(3 * time.Second)
	fmt.Fprint(conn, question[10:])
	slow, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || slow.StatusCode != http.StatusOK {
		t.Errorf("a request that began before the stop: %v %+v", err, slow)
	} else {
		t.Logf("a request that began before the stop and ended 3 s after it: %s", slow.Status)
		slow.Body.Close()
	}
	conn.Close()
	if out := <-stopped; !strings.HasSuffix(out, "<nil>") {
		t.Errorf("docker stop: %s", out)
	}
	time.Sleep(time.Second)
	sent, failed, faults := l.end()
	code := s.run("docker", "inspect", "-f", "{{.State.ExitCode}}", id)
	t.Logf("stop of one of two replicas: exit code %s, %d requests, %d failed %v", code, sent, failed, faults)
	if code != "0" || failed > 0 {
		t.Errorf("exit code %s, %d of %d requests failed %v; want 0 and none", code, failed, sent, faults)
	}
	s.scale(2)
}

// TestRollout puts another image into place under load, and then one that can't
// start. PPPQ_IMAGE_NEXT names the other one.
func TestRollout(t *testing.T) {
	s := open(t)
	next := os.Getenv("PPPQ_IMAGE_NEXT")
	if next == "" {
		t.Skip("PPPQ_IMAGE_NEXT is not set: no second image to roll out")
	}
	s.unlimited()
	l := s.start(4)
	out, err := s.try("docker/rollout.sh", next)
	time.Sleep(time.Second)
	sent, failed, faults := l.end()
	t.Logf("%s\nroll-out: %d requests, %d failed %v", out, sent, failed, faults)
	if err != nil || failed > 0 {
		t.Fatalf("roll-out: %v, %d of %d requests failed %v", err, failed, sent, faults)
	}
	serving := s.containers("api")
	if len(serving) != 2 {
		t.Errorf("%d replicas after the roll-out, want 2", len(serving))
	}
	for _, id := range serving {
		if image := s.run("docker", "inspect", "-f", "{{.Config.Image}}", id); image != next {
			t.Errorf("a replica runs %s, want %s", image, next)
		}
	}
	// An image that has no such command: it ends at once.
	broken := s.ports["NGINX_IMAGE"]
	l = s.start(4)
	out, err = s.try("docker/rollout.sh", broken)
	sent, failed, faults = l.end()
	t.Logf("%s\nbroken image: %v; %d requests, %d failed %v", out, err, sent, failed, faults)
	if err == nil || failed > 0 {
		t.Errorf("broken image: error %v, %d failed %v; want a refusal and none", err, failed, faults)
	}
	if now := s.containers("api"); strings.Join(now, " ") != strings.Join(serving, " ") {
		t.Errorf("replicas after the broken image: got %v, want the old ones %v", now, serving)
	}
}
