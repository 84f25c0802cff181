package stack

import "testing"

func TestSwarm(t *testing.T) {
	t.Parallel()
	p := load(t, example(t), "deploy/swarm.yml")
	if len(p.Services) != 3 {
		t.Fatalf("%d services, want 3", len(p.Services))
	}
	update := p.Services["api"].Deploy.UpdateConfig
	if update == nil || update.Order != "start-first" || update.FailureAction != "rollback" || update.Monitor == 0 {
		t.Errorf("update of api: %+v, want start-first, rollback and a time to watch", update)
	}
	for name, s := range p.Services {
		if !s.ReadOnly || len(s.CapDrop) != 1 || s.Deploy.Resources.Limits.MemoryBytes == 0 || s.User == "" {
			t.Errorf("%s: read-only %t, capabilities -%v, user %q, limits %+v", name, s.ReadOnly, s.CapDrop, s.User, s.Deploy.Resources.Limits)
		}
	}
	for name, s := range p.Secrets {
		if !s.External {
			t.Errorf("secret %s is not external", name)
		}
	}
	if len(p.Secrets) == 0 {
		t.Error("no secrets")
	}
}
