package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// ErrNewer is wrapped where a newer program made the tables.
var ErrNewer = errors.New("was written by a newer pppq: run that version, or name another database in DATABASE_URL")

// migrations make the schema of each version from the one before; version 1 is
// the first. What was once released is never edited.
var migrations = []func(*dialect) []string{
	func(d *dialect) []string {
		key := "data_month, asset, horizon_months, model_type, model_version"
		return append([]string{
			d.table("pppq_ledger", columns),
			`CREATE UNIQUE INDEX pppq_ledger_once ON pppq_ledger (kind, ` + key + `)`,
			d.table("pppq_ledger_head", []column{{name: "id", typ: integer}, {name: "entries", typ: integer}, {name: "hash"}}),
			`INSERT INTO pppq_ledger_head (id, entries, hash) VALUES (1, 0, '` + Genesis + `')`,
		}, d.guard...)
	},
}

// table is the statement that creates one; its first column is the key.
func (d *dialect) table(name string, columns []column) string {
	var b strings.Builder
	b.WriteString("CREATE TABLE " + name + " (")
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.name + " " + d.types[c.typ])
		switch {
		case i == 0:
			b.WriteString(" NOT NULL PRIMARY KEY")
		case c.kind == "" && !c.optional:
			b.WriteString(" NOT NULL")
		case !c.optional:
			b.WriteString(" CHECK ((kind = '" + c.kind + "') = (" + c.name + " IS NOT NULL))")
		}
	}
	return b.String() + ")" + d.strict
}

// migrate brings the schema to this program's version. Without create it changes
// nothing, and a database that has none is ErrNone.
func (l *Ledger) migrate(ctx context.Context, create bool) error {
	version, err := l.schemaVersion(ctx, l.db)
	switch {
	case err != nil:
		return err
	case version > len(migrations):
		return newer(version)
	case version == len(migrations):
		return nil
	case version == 0 && !create:
		return ErrNone
	case !create:
		return fmt.Errorf("tables of version %d, this program reads version %d: \"pppq train\" brings them up to date", version, len(migrations))
	}
	return l.write(ctx, func(tx *sql.Tx) error {
		if l.dialect.lock != "" {
			if _, err := tx.ExecContext(ctx, l.dialect.lock); err != nil {
				return err
			}
		}
		version, err := l.schemaVersion(ctx, tx) // another program may have been faster
		if err != nil {
			return err
		}
		if version > len(migrations) {
			return newer(version)
		}
		if version == 0 {
			schema := l.dialect.table("pppq_ledger_schema", []column{{name: "version", typ: integer}})
			if _, err := tx.ExecContext(ctx, schema); err != nil {
				return fmt.Errorf("make the tables: %w", err)
			}
		}
		for ; version < len(migrations); version++ {
			for _, s := range migrations[version](l.dialect) {
				if _, err := tx.ExecContext(ctx, s); err != nil {
					return fmt.Errorf("bring the tables to version %d: %w", version+1, err)
				}
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO pppq_ledger_schema (version) VALUES ($1)`, version+1); err != nil {
				return err
			}
		}
		return nil
	})
}

func newer(version int) error {
	return fmt.Errorf("tables of version %d, this program knows up to %d: %w", version, len(migrations), ErrNewer)
}

// A querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// schemaVersion is 0 where there are no tables.
func (l *Ledger) schemaVersion(ctx context.Context, q querier) (version int, err error) {
	var tables int
	if err := q.QueryRowContext(ctx, l.dialect.exists, "pppq_ledger_schema").Scan(&tables); err != nil || tables == 0 {
		return 0, err
	}
	err = q.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM pppq_ledger_schema`).Scan(&version)
	return version, err
}
