package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A bed holds the servers under test.
type bed struct {
	folder  string
	own     bool // whether the folder is ours to remove
	servers map[string]*server
	key     string
	start   time.Duration
}

// A server is a child process.
type server struct {
	cmd     *exec.Cmd
	address string
}

const predictBody = `{"asset":"Gold","horizon_years":5,"model_type":"ensemble"}`

func newBed(ctx context.Context, o options) (*bed, error) {
	b := &bed{folder: o.folder, servers: map[string]*server{}}
	if b.folder == "" {
		dir, err := os.MkdirTemp("", "pppq-bench-")
		if err != nil {
			return nil, err
		}
		b.folder, b.own = dir, true
		fmt.Fprintln(os.Stderr, "training a model for the measurement ...")
		up := exec.CommandContext(ctx, o.pppq, "up", "--once")
		up.Env = append(os.Environ(), b.environment()...)
		up.Stderr = os.Stderr
		if err := up.Run(); err != nil {
			b.close()
			return nil, fmt.Errorf("pppq up --once: %w", err)
		}
	}
	if err := b.begin(ctx, o); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bed) environment() []string {
	return []string{"DATA_DIR=" + filepath.Join(b.folder, "data"), "MODELS_DIR=" + filepath.Join(b.folder, "models")}
}

func (b *bed) begin(ctx context.Context, o options) error {
	out, err := exec.CommandContext(ctx, o.pppq, "keys", "new", "--name", "bench", "--scope", "read").Output()
	if err != nil {
		return fmt.Errorf("pppq keys new: %w", err)
	}
	var line string
	for _, word := range strings.Fields(string(out)) {
		switch {
		case strings.HasPrefix(word, "pppq_"):
			b.key = word
		case strings.HasPrefix(word, "bench:"):
			line = word
		}
	}
	log, err := os.Create(filepath.Join(b.folder, "access.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	began := time.Now()
	service := exec.CommandContext(ctx, o.pppq, "serve")
	if o.pinned {
		service = exec.CommandContext(ctx, "taskset", "-c", "0", o.pppq, "serve")
	}
	service.Env = append(append(os.Environ(), b.environment()...), "API_KEYS="+line, "RATE_LIMIT=1000000")
	service.Stdout = log
	if err := b.launch("pppq", service); err != nil {
		return err
	}
	answer, err := b.ask("pppq", newRequest("POST", "/api/v1/predict", "bench", b.key, predictBody))
	if err != nil {
		return err
	}
	b.start = time.Since(began)
	file := filepath.Join(b.folder, "answer.json")
	if err := os.WriteFile(file, answer, 0o644); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return b.launch("bare", exec.CommandContext(ctx, self, "-serve-bare", file))
}

// launch starts a server on a free port and waits until it answers /livez or
// anything else.
func (b *bed) launch(name string, cmd *exec.Cmd) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "HOST=127.0.0.1", "PORT="+strconv.Itoa(port))
	if err := cmd.Start(); err != nil {
		return err
	}
	b.servers[name] = &server{cmd, address}
	for range 5000 {
		c, err := net.Dial("tcp", address)
		if err == nil {
			return c.Close()
		}
		time.Sleep(2 * time.Millisecond)
	}
	return fmt.Errorf("%s does not listen on %s", name, address)
}

// ask sends one request and returns the body.
func (b *bed) ask(name string, q request) ([]byte, error) {
	c, err := dial(b.address(name))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var body bytes.Buffer
	if err := c.do(q, &body); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", name, err, body.Bytes())
	}
	return body.Bytes(), nil
}

func (b *bed) address(name string) string { return b.servers[name].address }

// close ends every child.
func (b *bed) close() {
	for _, s := range b.servers {
		_ = s.cmd.Process.Signal(os.Interrupt) // it may have ended by itself
		_ = s.cmd.Wait()
	}
	if b.own {
		_ = os.RemoveAll(b.folder) // a left-over of a measurement harms nobody
	}
}

// cpu is the processor time that a server has used (Linux; 0 elsewhere).
func (b *bed) cpu(name string) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", b.servers[name].cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// resident is a server's memory in MB (Linux; 0 elsewhere).
func (b *bed) resident(name string) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", b.servers[name].cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return float64(pages) * float64(os.Getpagesize()) / 1e6
}

// targets are what is measured.
func (b *bed) targets() []target {
	post := func(path, body string) request { return newRequest("POST", path, "bench", b.key, body) }
	row := make([]string, 27)
	for i := range row {
		row[i] = "0.1"
	}
	row[0] = "0." + sixDigits
	infer := fmt.Sprintf(`{"inputs":[{"name":"features","datatype":"FP64","shape":[1,%d],"data":[%s]}]}`, len(row), strings.Join(row, ","))
	whatIf := `{"asset":"SP500","horizon_years":5,"model_type":"ensemble","features":{"bill_rate":0.03` + sixDigits + `},"explain":`
	all := []target{{"bare", "bare", post("/", predictBody), []string{"bare"}}}
	if b.servers["fastapi"] != nil {
		all = append(all, target{"FastAPI", "fastapi", post("/predict", whatIf+`false}`), []string{"bare"}})
	}
	if b.servers["mlserver"] != nil {
		all = append(all, target{"MLServer infer", "mlserver", post("/v2/models/pppq/infer", infer), []string{"bare"}})
	}
	return append(all,
		target{"predict, repeated", "pppq", post("/api/v1/predict", predictBody), []string{"bare"}},
		target{"forecast GET, repeated", "pppq", newRequest("GET", "/api/v1/forecast/Gold?horizon_years=5", "bench", b.key, ""), []string{"bare"}},
		target{"what-if", "pppq", post("/api/v1/predict", whatIf+`false}`), []string{"bare", "FastAPI"}},
		target{"what-if, explained", "pppq", post("/api/v1/predict", whatIf+`true}`), []string{"bare"}},
		target{"v2 infer", "pppq", post("/v2/models/pppq/infer", infer), []string{"bare", "MLServer infer"}},
	)
}

// target is the one of a name.
func (b *bed) target(name string) target {
	all := b.targets()
	return all[slices.IndexFunc(all, func(t target) bool { return t.name == name })]
}

// serveBare is the anchor: a handler that decodes the body and writes a file.
func serveBare(file string) error {
	answer, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	type question struct {
		Asset        string  `json:"asset"`
		HorizonYears float64 `json:"horizon_years"`
		ModelType    string  `json:"model_type"`
	}
	server := &http.Server{
		Addr:              net.JoinHostPort(os.Getenv("HOST"), os.Getenv("PORT")),
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			var q question
			if err == nil {
				err = json.Unmarshal(body, &q)
			}
			if err != nil || q.Asset == "" {
				http.Error(w, "bad", http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
			_, _ = w.Write(answer) // the caller went away
		}),
	}
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
