package config

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// maxSecret bounds the file of a secret.
const maxSecret = 1 << 20

// A Source is where settings come from. A nil function holds nothing.
type Source struct {
	// Flag and Env look up a variable by its name, as "LOG_LEVEL".
	Flag, Env func(name string) (string, bool)
	// ReadFile reads the file that NAME_FILE names.
	ReadFile func(path string) ([]byte, error)
}

// System reads the environment of this process; flag may be nil.
func System(flag func(name string) (string, bool)) Source {
	return Source{Flag: flag, Env: os.LookupEnv, ReadFile: readSecret}
}

func readSecret(path string) ([]byte, error) {
	stat, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if stat.Size() > maxSecret {
		return nil, fmt.Errorf("larger than %d bytes", maxSecret)
	}
	return os.ReadFile(path)
}

// Load reads and checks every setting. The error joins one line for each fault;
// none shows the value of a secret.
func Load(src Source) (*Settings, error) {
	s := &Settings{Environment: Development}
	var faults []error
	for _, v := range Variables() {
		text, from, err := src.find(v)
		if err == nil && from == "" {
			text, from = v.defaultOf(s.Environment), "default"
		}
		if err == nil {
			err = v.set(s, text)
			if err != nil && !v.Secret {
				err = fmt.Errorf("%w, got %q", err, text)
			}
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", v.Name, err))
			continue
		}
		if v.Secret && text != "" {
			text = "(set)"
		}
		s.values = append(s.values, Value{Variable: v, Value: text, From: from})
	}
	if err := errors.Join(append(faults, s.together()...)...); err != nil {
		return nil, err
	}
	return s, nil
}

// find returns what is set for a variable; from is empty if nothing is.
func (src Source) find(v Variable) (text, from string, err error) {
	if src.Flag != nil {
		if text, ok := src.Flag(v.Name); ok {
			return text, "flag", nil
		}
	}
	if src.Env == nil {
		return "", "", nil
	}
	text, inEnv := src.Env(v.Name)
	if v.Secret {
		if path, ok := src.Env(v.Name + "_FILE"); ok && path != "" {
			if inEnv && text != "" {
				return "", "", fmt.Errorf("both %s and %s_FILE are set: use one", v.Name, v.Name)
			}
			b, err := src.ReadFile(path)
			if err != nil {
				return "", "", fmt.Errorf("read %s_FILE: %w", v.Name, err)
			}
			return strings.TrimRight(string(b), "\r\n"), "file", nil
		}
	}
	if !inEnv || text == "" { // Compose files pass unset variables on as empty ones
		return "", "", nil
	}
	return text, "environment", nil
}
