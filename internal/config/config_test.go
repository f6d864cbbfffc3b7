package config_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

func TestEmptyIsGood(t *testing.T) {
	for _, raw := range []string{"", "{}", " \n"} {
		c, err := config.Parse([]byte(raw))
		if err != nil {
			t.Fatalf("Parse(%q): %v", raw, err)
		}
		p := c.Baseline()
		if got := p.FlowLogs.LogGroup; got != "relight-flow-logs" {
			t.Errorf("flow log group %q, want relight-flow-logs", got)
		}
		if p.FlowLogs.TrafficType != catalog.TrafficReject || p.FlowLogs.RetentionDays != 365 || p.FlowLogs.Aggregation != 600 {
			t.Errorf("flow log defaults %+v", p.FlowLogs)
		}
		if n := len(catalog.Controls()); len(p.Controls) != n || c.Mode(catalog.Alarms) != catalog.Repair {
			t.Errorf("%d controls in mode %s, want all %d in repair", len(p.Controls), c.Mode(catalog.Alarms), n)
		}
	}
}

func TestEveryProblemAtOnce(t *testing.T) {
	tests := []struct {
		raw  string
		want []string
	}{
		{`{"prefx":"x","flowLogs":{"retention":1}}`, []string{`unknown key "prefx": did you mean "prefix"?`, `unknown key "flowLogs.retention"`}},
		{`{"prefx":"x","sweepMinutes":1}`, []string{`"prefx"`, "sweepMinutes 1"}}, // both sorts of problems at once
		{
			`{"prefix":"Bad_","flowLogs":{"retentionDays":100,"aggregationSeconds":5,"graceSeconds":901},"sweepMinutes":1}`,
			[]string{"prefix", "flowLogs.graceSeconds 901: use 0 to 900", "flowLogs.retentionDays 100", "aggregationSeconds 5", "sweepMinutes 1"},
		},
		{`{"modes":{"alarm":"repair","flowlogs":"on"}}`, []string{`did you mean "alarms"?`, `"on" is not repair`}},
		{`{"controls":{"root-use":{"threshold":-1}}}`, []string{`did you mean "root-usage"?`, "threshold -1"}},
		{`{"addControls":[{"id":"root-usage","pattern":""}]}`, []string{"is already the ID of a control", "pattern has 0 characters"}},
		{`{"subscribers":[{"protocol":"fax","endpoint":""}],"tags":{"aws:x":"y","relight":"z"}}`, []string{`"fax"`, "endpoint is empty", "aws:x", "marks what relight creates"}},
		{`{"flowLogs":{"destinations":["s3"],"exemptVpcs":["web"],"format":"plain"}}`, []string{"must include cloud-watch-logs", `"web"`, "has no ${field}"}},
		{`{"regions":["Ireland"],"kmsKeys":{"eu-west-1":"alias/x"}}`, []string{`"Ireland"`, `"alias/x"`}},
		{`{"prefix":"default","skipRegions":["Ireland","eu-west-1"],"regions":["eu-west-1"]}`, []string{`"default"`, `skipRegions: "Ireland"`, `"eu-west-1" is the home region or in regions`}},
		{`{"flowLogs":{"format":"${ecs-cluster-arn}"}}`, []string{"ECS permissions"}},
		{`{"trail":{"name":"a b","bucket":"X","keyArn":"alias/x","roleArn":"x"}}`, []string{"trail.name", "trail.bucket", "trail.keyArn", "trail.roleArn"}},
		{`{"trail":{"create":true,"bucket":"audit-files"}}`, []string{"leave out trail.name, trail.bucket"}},
		{`{"permissionsBoundary":"arn:aws:iam::111122223333:role/x"}`, []string{"permissionsBoundary", "not the ARN of a managed policy"}},
		{`[]`, []string{"not a configuration"}},
		{`{`, []string{"not a configuration"}},
		{`{"sweepMinutes":"15"}`, []string{"sweepMinutes"}},
	}
	for _, tt := range tests {
		_, err := config.Parse([]byte(tt.raw))
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Parse(%s) = %v, want it to say %s", tt.raw, err, want)
			}
		}
	}
}

func TestControlsAreTuned(t *testing.T) {
	c, err := config.Parse([]byte(`{
		"controls": {"root-usage": {"disabled": true}, "iam-changes": {"threshold": 5, "periodSeconds": 60}},
		"addControls": [{"id": "mine", "pattern": "{ $.a = b }"}]
	}`))
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]catalog.Control{}
	for _, row := range c.Baseline().Controls {
		byID[row.ID] = row
	}
	if _, ok := byID["root-usage"]; ok || len(byID) != len(catalog.Controls()) {
		t.Errorf("%d controls, want root-usage gone and mine there", len(byID))
	}
	if got := byID["iam-changes"]; got.Threshold != 5 || got.Period != 60 {
		t.Errorf("iam-changes is %v per %d s, want 5 per 60 s", got.Threshold, got.Period)
	}
	if got := byID["mine"]; got.Threshold != 1 || got.Period != 300 {
		t.Errorf("mine is %v per %d s, want the defaults", got.Threshold, got.Period)
	}
}

// The functions can read the completed configuration that the stack writes.
func TestRoundTrip(t *testing.T) {
	c, err := config.Parse([]byte(`{"prefix":"acme","regions":["eu-central-1"]}`))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), catalog.ConfigFile)
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	back, err := config.Load(path)
	if err != nil || back.FlowLogs.LogGroup != "acme-flow-logs" || back.FastRegions("eu-west-1")[1] != "eu-central-1" {
		t.Errorf("read back %+v, %v", back, err)
	}
}

func TestLoadTakesContextOfCDK(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cdk.json")
	if err := os.WriteFile(path, []byte(`{"app":"x","context":{"relight":{"prefix":"acme"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := config.Load(path); err != nil || c.Prefix != "acme" {
		t.Errorf("prefix %q, %v; want acme", c.Prefix, err)
	}
}

func TestDeploymentFromEnv(t *testing.T) {
	_, err := config.DeploymentFromEnv(func(string) string { return "" })
	if err == nil || strings.Count(err.Error(), "is not set") != 5 {
		t.Errorf("%v, want all five variables named", err)
	}
}
