package ledger

import (
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// connectTimeout bounds the wait for a server that does not answer, unless the
// URL's connect_timeout says otherwise.
const connectTimeout = 10 * time.Second

var postgres = &dialect{
	name:      "PostgreSQL",
	types:     [3]string{text: "TEXT", integer: "BIGINT", number: "DOUBLE PRECISION"},
	lock:      `SELECT pg_advisory_xact_lock(7061717071)`,
	exists:    `SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass($1)`,
	isolation: sql.LevelReadCommitted, // who waited for the head then sees what the other wrote
	forUpdate: ` FOR UPDATE`,
	guard: []string{
		`CREATE FUNCTION pppq_ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$`,
		`CREATE TRIGGER pppq_ledger_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON pppq_ledger FOR EACH STATEMENT EXECUTE FUNCTION pppq_ledger_refuse()`,
	},
}

// openPostgres connects when the first query comes.
func openPostgres(url string) (*Ledger, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		// The parser's own text may show parts of the URL.
		return nil, errors.New("the PostgreSQL URL is not understood: check its user, host, port and options, and %-escape what is not a letter or digit")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(2)
	return &Ledger{db: db, dialect: postgres}, nil
}

// A lineError says in one line what the driver says in several, one for each
// way that it tried to connect.
type lineError struct{ error }

func (e lineError) Error() string {
	return strings.Join(strings.FieldsFunc(e.error.Error(), func(r rune) bool { return r == '\n' || r == '\t' }), " ")
}

func (e lineError) Unwrap() error { return e.error }
