package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed anchors
var anchors embed.FS

// startAnchors starts the servers of other makers where the Python at o.python
// has them, and says what is missing where it has not.
func (b *bed) startAnchors(ctx context.Context, o options) error {
	if o.python == "" {
		return nil
	}
	version, err := os.ReadFile(filepath.Join(b.folder, "models", "pppq", "current"))
	if err != nil {
		return err
	}
	model := filepath.Join(b.folder, "models", "pppq", strings.TrimSpace(string(version)))
	dir := filepath.Join(b.folder, "anchors")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text, err := anchors.ReadFile("anchors/fastapi_app.py")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "fastapi_app.py"), text, 0o644); err != nil {
		return err
	}
	if b.has(ctx, o, "fastapi", "gunicorn", "uvicorn", "lightgbm", "xgboost") {
		port, err := freePort()
		if err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, o.python, "-m", "gunicorn", "-b", fmt.Sprintf("127.0.0.1:%d", port),
			"-k", "uvicorn.workers.UvicornWorker", "-w", "2", "--log-level", "warning", "fastapi_app:app")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "MODEL="+model)
		if err := b.startAnchor(ctx, "fastapi", cmd, port, newRequest("GET", "/livez", "bench", "", "")); err != nil {
			return err
		}
	}
	if b.has(ctx, o, "mlserver", "mlserver_lightgbm") {
		return b.startMLServer(ctx, o, model, dir)
	}
	return nil
}

func (b *bed) startMLServer(ctx context.Context, o options, model, dir string) error {
	var ports [3]int
	for i := range ports {
		var err error
		if ports[i], err = freePort(); err != nil {
			return err
		}
	}
	booster, err := os.ReadFile(filepath.Join(model, "lightgbm.txt"))
	if err != nil {
		return err
	}
	// The runtime looks for a file of this name.
	if err := os.WriteFile(filepath.Join(dir, "model.bst"), booster, 0o644); err != nil {
		return err
	}
	for name, v := range map[string]any{
		"settings.json": map[string]any{
			"host": "127.0.0.1", "http_port": ports[0], "grpc_port": ports[1], "metrics_port": ports[2], "debug": false, "parallel_workers": 0,
		},
		"model-settings.json": map[string]any{
			"name": "pppq", "implementation": "mlserver_lightgbm.LightGBMModel", "parameters": map[string]any{"uri": "./model.bst"},
		},
	} {
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(o.python), "mlserver"), "start", dir)
	cmd.Dir = dir
	return b.startAnchor(ctx, "mlserver", cmd, ports[0], newRequest("GET", "/v2/health/ready", "bench", "", ""))
}

// has reports whether the Python has all modules.
func (b *bed) has(ctx context.Context, o options, modules ...string) bool {
	for _, m := range modules {
		if err := exec.CommandContext(ctx, o.python, "-c", "import "+m).Run(); err != nil {
			fmt.Printf("no anchor: %s has no module %s\n", o.python, m)
			return false
		}
	}
	return true
}

// startAnchor starts a server and waits until a request is answered.
func (b *bed) startAnchor(ctx context.Context, name string, cmd *exec.Cmd, port int, ready request) error {
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "OMP_NUM_THREADS=1") // one row gains nothing from more
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	b.servers[name] = &server{cmd, fmt.Sprintf("127.0.0.1:%d", port)}
	for ctx.Err() == nil && time.Since(began) < 2*time.Minute {
		if _, err := b.ask(name, ready); err == nil {
			fmt.Printf("%s's start to its first answer %d ms\n", name, time.Since(began).Milliseconds())
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("%s does not answer", name)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
