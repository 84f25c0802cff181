package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The ledger is kept in PostgreSQL, by an account whose password stands in a file
// alone; without the database forecasts and trainings go on, and what could not
// be written is written later.
func TestLedgerInPostgreSQL(t *testing.T) {
	s := open(t)
	s.unlimited()
	pipeline := func(args ...string) string {
		t.Helper()
		return s.compose(append([]string{"run", "--rm", "-T", "--no-deps", "pipeline"}, args...)...)
	}
	sql := func(q string) string {
		t.Helper()
		return s.compose("exec", "-T", "mlflow-db", "psql", "-qtA", "-U", "mlflow", "-d", "mlflow", "-c", q)
	}
	versions := func() string {
		return sql("SELECT count(DISTINCT model_version) FROM pppq_ledger WHERE kind = 'forecast'")
	}
	pipeline("up", "--once")
	t.Logf("%s entries in PostgreSQL, of %s model versions", sql("SELECT count(*) FROM pppq_ledger"), versions())
	before := versions()
	verified := pipeline("ledger", "verify")
	t.Logf("ledger verify: %s", verified)

	// The answer to one question, which the API keeps: it must name what serves.
	const question = `{"asset":"Gold","horizon_years":5}`
	answered := func() string {
		t.Helper()
		a, err := do(client, http.MethodPost, s.https()+"/api/v1/predict", []byte(question))
		if err != nil || a.StatusCode != http.StatusOK {
			t.Fatalf("forecast: %v %+v", err, a)
		}
		m := regexp.MustCompile(`"model_version":\s*"([^"]+)"`).FindSubmatch(a.body)
		if m == nil {
			t.Fatalf("an answer without a model version: %.500s", a.body)
		}
		return string(m[1])
	}
	old := answered()

	s.compose("stop", "mlflow-db")
	start := time.Now()
	out := pipeline("train", "--promote", "--seed", "7")
	t.Logf("training without the database: %v", time.Since(start).Round(time.Second))
	if !strings.Contains(out, "the ledger of forecasts is not up to date") {
		t.Errorf("training without the database does not say that the ledger waits:\n%s", out)
	}
	start = time.Now()
	pipeline("up", "--once")
	t.Logf("up --once without the database: %v", time.Since(start).Round(time.Second))
	took := s.eventually(30*time.Second, "both replicas answer with the new model", func() bool {
		for range 6 {
			if answered() == old {
				return false
			}
		}
		return true
	})
	t.Logf("model %s gone from every POST answer %v after the training", old, took.Round(time.Millisecond))
	s.eventually(time.Minute, "the metric of the database is 0", func() bool { return s.query("pppq_database_up == 0") == 1 })

	s.compose("up", "-d", "--wait", "--no-recreate", "mlflow-db")
	pipeline("up", "--once")
	if after := versions(); after == before {
		t.Errorf("after the outage: got %s model versions in the ledger, want the one trained meanwhile too", after)
	}
	t.Logf("ledger verify after the outage: %s", pipeline("ledger", "verify"))
	// A model is rolled back without an image and without a restart.
	pipeline("models", "rollback")
	took = s.eventually(30*time.Second, "both replicas answer with the old model", func() bool {
		for range 6 {
			if answered() != old {
				return false
			}
		}
		return true
	})
	t.Logf("models rollback: model %s answers again after %v", old, took.Round(time.Millisecond))
	if log := s.compose("logs", "--no-log-prefix", "mlflow-db"); strings.Contains(log, "FATAL:  role") || strings.Contains(log, "FATAL:  database") || strings.Contains(log, "password authentication failed") {
		t.Errorf("the database refused somebody: %s", log)
	}
}
