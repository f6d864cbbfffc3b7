package stack_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/infra/stack"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

// released are the templates of the default configuration that deploy without the CDK.
var released = sync.OnceValue(func() app { return releasedOf(`{}`) })

func releasedOf(raw string) app {
	keys := map[catalog.Function]string{}
	for _, f := range catalog.Binaries() {
		keys[f] = string(f) + ".zip"
	}
	return synthPlain(raw, stack.ARM64, home, &stack.Plain{Keys: keys})
}

// A plain template deploys in every region without anything that the CDK prepares, and
// its resources have relight's tag.
func TestPlainTemplates(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for name, s := range released() {
		raw, err := json.Marshal(s.raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"cdk-", "Bootstrap", "AssetParameters", `"` + home, ":" + home, home + ":"} {
			if strings.Contains(string(raw), word) {
				t.Errorf("%s has %s", name, word)
			}
		}
		path := filepath.Join(dir, name+".template.json")
		paths = append(paths, path)
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		for id, r := range s.of("AWS::SNS::Topic") {
			if tags := text(r.Properties["Tags"]); tags != `[{"Key":"relight","Value":"relight"}]` {
				t.Errorf("%s: topic %s has tags %s", name, id, tags)
			}
		}
	}
	lint(t, paths)

	s, forwarder := released()["relight"], released()["relight-"+global]
	if got, want := slices.Sorted(maps.Keys(s.Parameters)), []string{catalog.ParamBucket, catalog.ParamPrefix, catalog.ParamConfig}; !cmp.Equal(got, want) {
		t.Errorf("parameters %v, want %v", got, want)
	}
	if got := slices.Sorted(maps.Keys(forwarder.Parameters)); !cmp.Equal(got, []string{catalog.ParamEmail, catalog.ParamHome}) {
		t.Errorf("parameters of the forwarder: %v", got)
	}
	functions := s.of("AWS::Lambda::Function")
	for id, r := range functions {
		name := strings.TrimPrefix(text(r.Properties["FunctionName"]), "relight-")
		if code := text(r.Properties["Code"]); code != `{"S3Bucket":{"Ref":"AssetBucket"},"S3Key":{"Fn::Sub":"${AssetPrefix}`+name+`.zip"}}` {
			t.Errorf("%s: code %s", id, code)
		}
		env := at(r.Properties, "Environment", "Variables")
		if text(at(env, catalog.EnvConfig)) != ref(catalog.ParamConfig) || text(at(env, catalog.EnvHomeRegion)) != ref("AWS::Region") {
			t.Errorf("%s: environment %v", id, env)
		}
	}
	if len(functions) != len(catalog.Functions()) {
		t.Errorf("%d functions, want %d", len(functions), len(catalog.Functions()))
	}
}

// What the parameter Config may change, no template depends on, but for the subscribers
// of the topics, which relight subscribes, and what the metadata records.
func TestParameterChangesNoTemplate(t *testing.T) {
	const changes = `{
		"addControls": [{"id": "object-deletions", "pattern": "{ $.eventName = %^DeleteObject% }", "threshold": 3}],
		"adopt": {"filters": ["theirs"], "topics": ["arn:aws:sns:` + home + `:111122223333:theirs"], "flowLogs": ["arn:aws:s3:::theirs"]},
		"controls": {"root-usage": {"threshold": 5, "periodSeconds": 600}, "vpc-changes": {"disabled": true}},
		"deletionProtection": false,
		"flowLogs": {"aggregationSeconds": 60, "exemptVpcs": ["vpc-0123456789abcdef0"], "format": "${version} ${vpc-id} ${action}", "retentionDays": 731, "trafficType": "ALL"},
		"lastResort": {"subscribers": [{"protocol": "sms", "endpoint": "+15555550100"}]},
		"notify": {"minimum": "high"},
		"subscribers": [{"protocol": "email", "endpoint": "security@example.com"}],
		"trail": {"name": "audit"},
		"trailLogs": {"retentionDays": 731}
	}`
	base, err := config.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := base.With(changes)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range config.AtDeployment() {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(changed.Facts())), func(p string) bool { return p == path || strings.HasPrefix(p, path+".") }) {
			t.Errorf("this test changes nothing at %s", path)
		}
	}
	without := func(a app) string {
		all := map[string]template{}
		for name, s := range a {
			for _, r := range s.of("AWS::SNS::Topic") {
				delete(r.Properties, "Subscription")
			}
			s.Metadata = nil
			all[name] = s.template
		}
		raw, err := json.MarshalIndent(all, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return hashes.ReplaceAllString(string(raw), "${1}hash")
	}
	if diff := cmp.Diff(without(releasedOf(`{}`)), without(releasedOf(changes))); diff != "" {
		t.Errorf("the templates depend on what the parameter may change (-default +changed):\n%s", diff)
	}
}
