package stack

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// decode decodes every document strictly, an unknown field is an error, and
// returns the last object of each kind.
func decode(t *testing.T, place string, text []byte) map[string]any {
	t.Helper()
	found := map[string]any{}
	for _, doc := range bytes.Split(text, []byte("\n---\n")) {
		var kind metav1.TypeMeta
		if err := yaml.Unmarshal(doc, &kind); err != nil {
			t.Fatalf("%s: %v", place, err)
		}
		empty, ok := kinds[kind.APIVersion+" "+kind.Kind]
		if !ok {
			t.Fatalf("%s: %s %s is not known here", place, kind.APIVersion, kind.Kind)
		}
		object := empty()
		if err := yaml.UnmarshalStrict(doc, object); err != nil {
			t.Errorf("%s, %s: %v", place, kind.Kind, err)
		}
		found[kind.Kind] = object
	}
	return found
}

var kinds = map[string]func() any{
	"v1 Namespace":                           func() any { return new(corev1.Namespace) },
	"v1 ConfigMap":                           func() any { return new(corev1.ConfigMap) },
	"v1 PersistentVolumeClaim":               func() any { return new(corev1.PersistentVolumeClaim) },
	"v1 Service":                             func() any { return new(corev1.Service) },
	"apps/v1 Deployment":                     func() any { return new(appsv1.Deployment) },
	"batch/v1 CronJob":                       func() any { return new(batchv1.CronJob) },
	"policy/v1 PodDisruptionBudget":          func() any { return new(policyv1.PodDisruptionBudget) },
	"autoscaling/v2 HorizontalPodAutoscaler": func() any { return new(autoscalingv2.HorizontalPodAutoscaler) },
	"networking.k8s.io/v1 NetworkPolicy":     func() any { return new(networkingv1.NetworkPolicy) },
	"networking.k8s.io/v1 Ingress":           func() any { return new(networkingv1.Ingress) },
}

// manifests are those of the base as they stand.
func manifests(t *testing.T) map[string]any {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "deploy/kubernetes/base/*.yaml"))
	if err != nil || len(paths) < 5 {
		t.Fatalf("%d manifests, %v", len(paths), err)
	}
	found := map[string]any{}
	for _, path := range paths {
		if filepath.Base(path) == "kustomization.yaml" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(found, decode(t, path, text))
	}
	return found
}

// What `kubectl apply -k` makes of base and overlay decodes strictly too, and the
// overlay changes what it is there for.
func TestKustomize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		dir, image string
		replicas   int32
	}{{"base", "pppq-api:1.0.0", 2}, {"overlays/production", "registry.example.com/pppq-api:1.0.0", 3}} {
		built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(root, "deploy/kubernetes", c.dir))
		if err != nil {
			t.Fatalf("%s: %v", c.dir, err)
		}
		text, err := built.AsYaml()
		if err != nil {
			t.Fatal(err)
		}
		all := decode(t, c.dir, text)
		d := all["Deployment"].(*appsv1.Deployment)
		if got := d.Spec.Template.Spec.Containers[0].Image; got != c.image || d.Namespace != "pppq" || d.Labels["app.kubernetes.io/part-of"] != "pppq" {
			t.Errorf("%s: image %s in %s, labels %v; want %s in pppq", c.dir, got, d.Namespace, d.Labels, c.image)
		}
		if h := all["HorizontalPodAutoscaler"].(*autoscalingv2.HorizontalPodAutoscaler); *h.Spec.MinReplicas != c.replicas {
			t.Errorf("%s: at least %d replicas, want %d", c.dir, *h.Spec.MinReplicas, c.replicas)
		}
	}
}

func TestKubernetes(t *testing.T) {
	t.Parallel()
	all := manifests(t)
	d := all["Deployment"].(*appsv1.Deployment)
	restricted(t, "api", d.Spec.Template.Spec)
	restricted(t, "pipeline", all["CronJob"].(*batchv1.CronJob).Spec.JobTemplate.Spec.Template.Spec)
	c := d.Spec.Template.Spec.Containers[0]
	if c.StartupProbe == nil || c.LivenessProbe == nil || c.ReadinessProbe == nil || c.LivenessProbe.HTTPGet.Path != "/livez" || c.ReadinessProbe.HTTPGet.Path != "/readyz" {
		t.Error("api: want startup, liveness and readiness probes")
	}
	if c.Lifecycle != nil {
		t.Error("api: the image has no shell for a preStop; the program drains by itself")
	}
	for _, m := range c.VolumeMounts {
		if !m.ReadOnly {
			t.Errorf("api writes into %s", m.MountPath)
		}
	}
	if r := d.Spec.Strategy.RollingUpdate; r.MaxUnavailable.String() != "0" || r.MaxSurge.String() != "1" {
		t.Errorf("roll-out: %v", r)
	}
	labels := d.Spec.Template.Labels["app.kubernetes.io/name"]
	for kind, selector := range map[string]map[string]string{
		"PodDisruptionBudget": all["PodDisruptionBudget"].(*policyv1.PodDisruptionBudget).Spec.Selector.MatchLabels,
		"Service":             all["Service"].(*corev1.Service).Spec.Selector,
		"NetworkPolicy":       all["NetworkPolicy"].(*networkingv1.NetworkPolicy).Spec.PodSelector.MatchLabels,
	} {
		if selector["app.kubernetes.io/name"] != labels || labels == "" {
			t.Errorf("%s selects %v, the pods are labelled %q", kind, selector, labels)
		}
	}
	if drain := *d.Spec.Template.Spec.TerminationGracePeriodSeconds; drain < 45 {
		t.Errorf("grace period %d s is shorter than drain and time-out together", drain)
	}
}

// restricted is Kubernetes' pod security standard of that name, and more.
func restricted(t *testing.T, name string, s corev1.PodSpec) {
	t.Helper()
	p := s.SecurityContext
	if p == nil || p.RunAsNonRoot == nil || !*p.RunAsNonRoot || p.SeccompProfile == nil || p.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		t.Fatalf("%s: pod security %+v", name, p)
	}
	if s.AutomountServiceAccountToken == nil || *s.AutomountServiceAccountToken {
		t.Errorf("%s: has a token for the cluster", name)
	}
	for _, c := range s.Containers {
		x := c.SecurityContext
		if x == nil || x.AllowPrivilegeEscalation == nil || *x.AllowPrivilegeEscalation || x.ReadOnlyRootFilesystem == nil || !*x.ReadOnlyRootFilesystem ||
			x.Capabilities == nil || len(x.Capabilities.Drop) != 1 || x.Capabilities.Drop[0] != "ALL" {
			t.Errorf("%s: container security %+v", name, x)
		}
		if c.Resources.Limits.Memory().IsZero() || c.Resources.Limits.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() {
			t.Errorf("%s: resources %+v", name, c.Resources)
		}
	}
}
