package stack

import (
	"bytes"
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
	"sigs.k8s.io/yaml"
)

// manifests decodes every document strictly: an unknown field is an error.
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
		for _, doc := range bytes.Split(text, []byte("\n---\n")) {
			var kind metav1.TypeMeta
			if err := yaml.Unmarshal(doc, &kind); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			var object any
			switch kind.APIVersion + " " + kind.Kind {
			case "v1 Namespace":
				object = new(corev1.Namespace)
			case "v1 ConfigMap":
				object = new(corev1.ConfigMap)
			case "v1 PersistentVolumeClaim":
				object = new(corev1.PersistentVolumeClaim)
			case "v1 Service":
				object = new(corev1.Service)
			case "apps/v1 Deployment":
				object = new(appsv1.Deployment)
			case "batch/v1 CronJob":
				object = new(batchv1.CronJob)
			case "policy/v1 PodDisruptionBudget":
				object = new(policyv1.PodDisruptionBudget)
			case "autoscaling/v2 HorizontalPodAutoscaler":
				object = new(autoscalingv2.HorizontalPodAutoscaler)
			case "networking.k8s.io/v1 NetworkPolicy":
				object = new(networkingv1.NetworkPolicy)
			case "networking.k8s.io/v1 Ingress":
				object = new(networkingv1.Ingress)
			default:
				t.Fatalf("%s: %s %s is not known here", path, kind.APIVersion, kind.Kind)
			}
			if err := yaml.UnmarshalStrict(doc, object); err != nil {
				t.Errorf("%s, %s: %v", path, kind.Kind, err)
			}
			found[kind.Kind] = object
		}
	}
	return found
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
