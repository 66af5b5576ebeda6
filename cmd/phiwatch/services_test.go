package main

import (
	"bytes"
	"errors"
	"io"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
)

// leastGrace is how long a stop may take: the source fifteen seconds, the last
// positions and the last watch five each, deliveries ten and as much again to record
// them, the web five.
const leastGrace = 50 * time.Second

// TestSystemdUnit holds the unit to the commands and paths that there are.
func TestSystemdUnit(t *testing.T) {
	unit := map[string][]string{}
	for _, m := range regexp.MustCompile(`(?m)^(\w+)=(.*)$`).FindAllStringSubmatch(deployed(t, "systemd/phiwatch.service"), -1) {
		unit[m[1]] = append(unit[m[1]], m[2])
	}
	for _, key := range []string{"ExecStartPre", "ExecStart", "ExecReload"} {
		for _, command := range unit[key] {
			args := strings.Fields(command)
			if args[0] != "/usr/local/bin/phiwatch" {
				continue
			}
			code, _, errs := run(t, "", args[1:]...)
			if code != exitUsage || !strings.Contains(errs, "open /etc/phiwatch/phiwatch.yml: ") {
				t.Errorf("%s=%s: exit code %d, %s", key, command, code, errs)
			}
		}
	}
	if len(unit["ExecReload"]) != 2 || unit["ExecReload"][1] != "/bin/kill -HUP $MAINPID" {
		t.Errorf("ExecReload=%q", unit["ExecReload"])
	}
	if got := path.Join("/var/lib", unit["StateDirectory"][0]); got != path.Dir(exampleState(t)) {
		t.Errorf("the state is in %s", got)
	}
	if d, err := time.ParseDuration(unit["TimeoutStopSec"][0]); err != nil || d < leastGrace {
		t.Errorf("TimeoutStopSec=%s, want %s or more", unit["TimeoutStopSec"][0], leastGrace)
	}
}

// TestKubernetesManifest holds the manifest to the ports and paths that there are,
// and to one process for each state.
func TestKubernetesManifest(t *testing.T) {
	type object struct {
		Kind string
		Spec struct {
			Replicas int
			Ports    []struct{ Port int }
			Template struct {
				Spec struct {
					TerminationGracePeriodSeconds int
					SecurityContext               struct{ RunAsNonRoot bool }
					Containers                    []struct {
						Args            []string
						Ports           []struct{ ContainerPort int }
						SecurityContext struct{ ReadOnlyRootFilesystem bool }
						VolumeMounts    []struct{ MountPath string }
					}
				}
			}
		}
	}
	lower := regexp.MustCompile(`(?m)(^|[{ ])([a-z]+[A-Z]\w*):`).ReplaceAllStringFunc(deployed(t, "kubernetes/phiwatch.yml"), strings.ToLower)
	objects := map[string]object{}
	for d := yaml.NewDecoder(bytes.NewReader([]byte(lower))); ; {
		var o object
		if err := d.Decode(&o); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		objects[o.Kind] = o
	}
	set := objects["StatefulSet"].Spec
	pod := set.Template.Spec
	if set.Replicas != 1 || !pod.SecurityContext.RunAsNonRoot || time.Duration(pod.TerminationGracePeriodSeconds)*time.Second < leastGrace || len(pod.Containers) != 1 {
		t.Fatalf("got %+v", set)
	}
	c := pod.Containers[0]
	if !c.SecurityContext.ReadOnlyRootFilesystem || c.Ports[0].ContainerPort != 9746 || objects["Service"].Spec.Ports[0].Port != 9746 {
		t.Errorf("got %+v", c)
	}
	if code, _, errs := run(t, "", c.Args...); code != exitUsage || !strings.Contains(errs, "open "+c.VolumeMounts[0].MountPath+"/phiwatch.yml: ") {
		t.Errorf("args %q: exit code %d, %s", c.Args, code, errs)
	}
	if got := c.VolumeMounts[1].MountPath; got != path.Dir(exampleState(t)) {
		t.Errorf("the state is in %s", got)
	}
}
