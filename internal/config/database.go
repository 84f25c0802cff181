package config

import (
	"errors"
	"net/url"
	"strings"
)

// databaseAccount fills user and password into a PostgreSQL URL that names no
// user; so a password can stand in a file and the rest in the open.
func (s *Settings) databaseAccount() error {
	user, password := s.databaseUser, s.databasePassword
	s.databaseUser, s.databasePassword = "", ""
	if !strings.HasPrefix(s.DatabaseURL, "postgres") || user == "" {
		return nil
	}
	u, err := url.Parse(s.DatabaseURL)
	if err != nil {
		return errors.New("DATABASE_URL: want postgresql://HOST/DATABASE") // the parser's words would show it
	}
	if u.User != nil {
		return nil
	}
	u.User = url.User(user)
	if password != "" {
		u.User = url.UserPassword(user, password)
	}
	s.DatabaseURL = u.String()
	return nil
}
