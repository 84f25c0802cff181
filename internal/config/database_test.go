package config

import (
	"strings"
	"testing"
)

func TestDatabaseAccount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, url, user, password, want string }{
		{"filled in", "postgresql://db:5432/mlflow", "mlflow", `a/b@c$"d\n`, "postgresql://mlflow:a%2Fb%40c$%22d%5Cn@db:5432/mlflow"},
		{"without password", "postgres://db/mlflow", "mlflow", "", "postgres://mlflow@db/mlflow"},
		{"its own user stays", "postgresql://ana:x@db/mlflow", "mlflow", "secret", "postgresql://ana:x@db/mlflow"},
		{"no user to fill in", "postgresql://db/mlflow", "", "secret", "postgresql://db/mlflow"},
		{"a file", "sqlite:/d/ledger.sqlite", "mlflow", "secret", "sqlite:/d/ledger.sqlite"},
		{"none", "", "mlflow", "secret", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := Load(env(map[string]string{"DATABASE_URL": c.url, "MLFLOW_DB_USER": c.user, "MLFLOW_DB_PASSWORD_FILE": "/pw"}, map[string]string{"/pw": c.password + "\n"}))
			if err != nil {
				t.Fatal(err)
			}
			if s.DatabaseURL != c.want {
				t.Errorf("DatabaseURL: got %q, want %q", s.DatabaseURL, c.want)
			}
		})
	}
	_, err := Load(env(map[string]string{"DATABASE_URL": "postgresql://db:hidden/x", "MLFLOW_DB_USER": "m"}, nil))
	if err == nil || !strings.Contains(err.Error(), "DATABASE_URL") || strings.Contains(err.Error(), "hidden") {
		t.Errorf("a URL that is none: got %v, want an error that names the variable and not its value", err)
	}
}
