package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// A deployment explains what changed with it, and nothing that changed before or later.
// A finding stays until the function is what it was, or a deployment makes it another.
func TestFunctionChanged(t *testing.T) {
	const function = "relight-alarms"
	noon := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	deployed := plan.StackState{Mark: "first", Changed: noon.UnixMilli()}
	again := plan.StackState{Mark: "second", Changed: noon.Add(24 * time.Hour).UnixMilli()}
	was := plan.Settings{"CodeSha256": "a", "Role": "r", "Timeout": "60", "Environment.TOPIC": "t"}
	with := func(changes ...string) plan.Settings { // name and value in turn
		now := plan.Settings{}
		for name, value := range was {
			now[name] = value
		}
		for i := 0; i < len(changes); i += 2 {
			now[changes[i]] = changes[i+1]
		}
		return now
	}
	many := []string{}
	for i := range 20 {
		many = append(many, fmt.Sprintf("Environment.V%02d", i), "v")
	}
	without := with()
	delete(without, "Environment.TOPIC")

	tests := []struct {
		name     string
		stack    plan.StackState
		known    plan.Settings // nil for nothing
		other    plan.Settings // that were found before; nil for none
		now      plan.Settings
		modified time.Duration // after noon
		changed  string        // what the finding names; "" for none
		learned  bool          // the settings are remembered
	}{
		{name: "nothing remembered", stack: deployed, now: was, learned: true},
		{name: "nothing changed", stack: deployed, known: was, now: was, learned: true},
		{name: "code", stack: deployed, known: was, now: with("CodeSha256", "b"), modified: time.Hour, changed: "code"},
		{name: "role", stack: deployed, known: was, now: with("Role", "s"), modified: time.Hour, changed: "role"},
		{name: "timeout", stack: deployed, known: was, now: with("Timeout", "1"), modified: time.Hour, changed: "Timeout"},
		{name: "a layer", stack: deployed, known: was, now: with("Layers", "l"), modified: time.Hour, changed: "Layers"},
		{name: "a variable more", stack: deployed, known: was, now: with("Environment.PROXY", "p"), modified: time.Hour, changed: "environment variable PROXY"},
		{name: "a variable less", stack: deployed, known: was, now: without, modified: time.Hour, changed: "environment variable TOPIC"},
		{name: "code and role", stack: deployed, known: was, now: with("Role", "s", "CodeSha256", "b"), modified: time.Hour, changed: "code, role"},
		{name: "very many", stack: deployed, known: was, now: with(many...), modified: time.Hour, changed: "environment variable V00, environment variable V01, environment variable V02, environment variable V03, environment variable V04, environment variable V05, environment variable V06, environment variable V07, environment variable V08, environment variable V09, and 10 more"},
		{name: "right after the deployment was seen", stack: deployed, known: was, now: with("CodeSha256", "b"), modified: time.Second, changed: "code"},

		{name: "by a deployment", stack: again, known: was, now: with("CodeSha256", "b", "Timeout", "30"), modified: 24 * time.Hour, learned: true},
		{name: "by a deployment that CloudFormation dates by its end", stack: again, known: was, now: with("CodeSha256", "b"), modified: 23*time.Hour + time.Minute, learned: true},
		{name: "long before a deployment", stack: again, known: was, now: with("CodeSha256", "b"), modified: 22*time.Hour + 59*time.Minute, changed: "code"},
		{name: "not by a deployment", stack: again, known: was, now: was, learned: true},
		{name: "at a time that cannot be read", stack: again, known: was, now: with("CodeSha256", "b"), modified: -noon.Sub(time.UnixMilli(0)), changed: "code"},
		{name: "without a stack", stack: plan.StackState{}, known: was, now: with("CodeSha256", "b"), modified: 24 * time.Hour, changed: "code"},

		{name: "found, and as it was found", stack: deployed, known: was, other: with("CodeSha256", "b"), now: with("CodeSha256", "b"), modified: time.Hour, changed: "code"},
		{name: "found, and put back", stack: deployed, known: was, other: with("CodeSha256", "b"), now: was, modified: 2 * time.Hour, learned: true},
		{name: "found, and changed once more", stack: deployed, known: was, other: with("CodeSha256", "b"), now: with("CodeSha256", "c"), modified: 2 * time.Hour, changed: "code"},
		{name: "found just before a deployment that leaves it", stack: again, known: was, other: with("CodeSha256", "b"), now: with("CodeSha256", "b"), modified: 24*time.Hour - time.Minute, changed: "code"},
		{name: "found before a deployment that changes it", stack: again, known: was, other: with("CodeSha256", "b"), now: with("CodeSha256", "c"), modified: 24 * time.Hour, learned: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			look := func(known plan.Functions, stack plan.StackState, now plan.Settings, modified time.Duration) plan.Plan {
				p, err := plan.Of(catalog.Guard, catalog.Desired{Deployment: catalog.Deployment{HomeRegion: "us-east-1"}}, plan.Observed{State: &plan.GuardState{
					Compared: true, Known: known, Stack: stack,
					Functions: map[string]*plan.FunctionState{function: {Settings: now, Modified: noon.Add(modified).UnixMilli()}},
				}})
				if err != nil || len(p.Actions) > 0 {
					t.Fatalf("actions %v, %v; want none", p.Actions, err)
				}
				return p
			}
			known := plan.Functions{"other": {Stack: "first"}}
			if tt.known != nil {
				known = known.With(look(nil, deployed, tt.known, 0).Functions)
			}
			if tt.other != nil {
				known = known.With(look(known, deployed, tt.other, time.Hour).Functions)
			}
			p := look(known, tt.stack, tt.now, tt.modified)
			var found []string
			for _, f := range p.Findings {
				if f.Code != plan.GuardFunctionChanged || f.Subject != "function "+function || !f.Alert {
					t.Errorf("finding %+v", f)
				}
				found = append(found, f.Problem[strings.LastIndex(f.Problem, ": ")+2:])
			}
			want := []string{tt.changed}
			if tt.changed == "" {
				want = nil
			}
			if diff := cmp.Diff(want, found); diff != "" {
				t.Errorf("changed (-want +got):\n%s", diff)
			}
			if healthy := p.Healthy == 1; healthy != (tt.changed == "") {
				t.Errorf("healthy %t", healthy)
			}
			if got := p.Functions[function]; cmp.Equal(got.Settings, tt.now) != tt.learned || p.Functions.Settled(function, tt.stack) != tt.learned {
				t.Errorf("remembered %+v; learned %t", got, tt.learned)
			}
		})
	}
}

// A function that nobody compares is neither learned nor found.
func TestFunctionNotCompared(t *testing.T) {
	p, err := plan.Of(catalog.Guard, catalog.Desired{Deployment: catalog.Deployment{HomeRegion: "us-east-1"}}, plan.Observed{State: &plan.GuardState{
		Known:     plan.Functions{"f": {Stack: "first", Settings: plan.Settings{"Role": "r"}}},
		Functions: map[string]*plan.FunctionState{"f": {Settings: plan.Settings{"Role": "s"}}},
	}})
	if err != nil || len(p.Findings) > 0 || p.Functions != nil || p.Healthy != 1 {
		t.Errorf("%+v, %v", p, err)
	}
}

// What relight remembers of its functions fits beside the retentions of many log
// groups, and survives being written.
func TestFunctionsFit(t *testing.T) {
	a := plan.Adopted{Floors: plan.Floors{}, Functions: plan.Functions{}}
	for _, f := range catalog.Functions() {
		m := plan.FunctionMemory{Stack: plan.MarkSetting("stack"), Settings: plan.Settings{}}
		for i := range 50 {
			m.Settings[fmt.Sprintf("Setting%d", i)] = plan.MarkSetting(fmt.Sprint(i))
		}
		for _, own := range []string{"CodeSha256", "Role", "LoggingConfig", plan.EnvSetting("ROLE")} {
			m.Settings[own] = plan.MarkSetting(own + string(f))
		}
		a.Functions["relight-"+string(f)] = m
	}
	for i := range 100 {
		a.Floors[fmt.Sprintf("us-east-1/vpc/flow-logs/%d", i)] = 365
	}
	text := a.Encode()
	got := plan.RecallAdopted(plan.Note{Text: text, Known: true})
	if diff := cmp.Diff(a.Functions, got.Functions); diff != "" || len(got.Floors) != 100 || got.Unreadable != "" || len(text) > catalog.MemoryChars {
		t.Errorf("%d characters, %d retentions, %q; functions (-want +got):\n%s", len(text), len(got.Floors), got.Unreadable, diff)
	}
}

// Marks tell values apart, and show none of them.
func TestMarkSetting(t *testing.T) {
	marks := []string{}
	for _, value := range []string{"", "a", "b", "secret", strings.Repeat("secret", 1000)} {
		m := plan.MarkSetting(value)
		if len(m) != 16 || strings.Contains(m, "secret") || slices.Contains(marks, m) {
			t.Errorf("the mark of %.20q is %q", value, m)
		}
		marks = append(marks, m)
	}
}
