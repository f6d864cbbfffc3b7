package stack_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/infra/stack"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

const (
	home   = "eu-west-1"
	remote = "eu-central-1"
	global = "us-east-1" // raises the events of IAM
)

// TestMain starts the CDK's Node process once for all tests, because starting
// it takes longer than any test. At the end it stops the process.
func TestMain(m *testing.M) {
	if _, err := exec.LookPath("node"); err != nil {
		fmt.Fprintln(os.Stderr, "the stack tests need Node.js 20 or later on PATH")
		os.Exit(1)
	}
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

// defaults returns the stacks of the empty configuration. custom returns those
// of a configuration that sets every option on which the stacks depend.
var (
	defaults = sync.OnceValue(func() app { return synth(`{}`, stack.ARM64, home) })
	american = sync.OnceValue(func() app {
		return synth(`{"regions": ["`+home+`"], "permissionsBoundary": "`+boundary+`"}`, stack.ARM64, global)
	})
	custom = sync.OnceValue(func() app {
		return synth(`{
			"prefix": "acme", "regions": ["`+remote+`"], "sweepMinutes": 30, "terminationProtection": true, "dashboard": false,
			"trailLogs": {"logGroup": "org-trail"}, "tags": {"team": "security"}, "modes": {"alarms": "off"},
			"audit": {"securityHub": {"frameworks": ["security-hub", "cis-5.0"], "hours": 6}},
			"subscribers": [{"protocol": "email", "endpoint": "security@example.com"}]
		}`, stack.X86, home)
	})
)

// boundary is a permissions boundary for every role.
const boundary = "arn:aws:iam::111122223333:policy/bounds"

// full has the stacks of a configuration with everything switched on, in three
// partitions, with the longest prefix and long region names.
var full = []struct {
	partition, home, further string
	app                      func() app
}{
	{"aws", "ap-southeast-1", "ap-northeast-1", sync.OnceValue(func() app { return everything("aws", "ap-southeast-1", "ap-northeast-1") })},
	{"aws-cn", "cn-northwest-1", "cn-north-1", sync.OnceValue(func() app { return everything("aws-cn", "cn-northwest-1", "cn-north-1") })},
	{"aws-us-gov", "us-gov-east-1", "us-gov-west-1", sync.OnceValue(func() app { return everything("aws-us-gov", "us-gov-east-1", "us-gov-west-1") })},
}

// everything returns the stacks of a configuration that sets every option that
// adds something to them.
func everything(partition, home, further string) app {
	return synth(switchedOn(partition, home, further), stack.ARM64, home)
}

// switchedOn returns that configuration.
func switchedOn(partition, home, further string) string {
	arn := "arn:" + partition
	return `{
		"prefix": "audit-lights-of-acme", "homeRegion": "` + home + `", "regions": ["` + further + `"], "sweepMinutes": 1440, "terminationProtection": true,
		"permissionsBoundary": "` + arn + `:iam::111122223333:policy/bounds",
		"pause": {"by": ["` + arn + `:iam::111122223333:role/operator"]},
		"trail": {"create": true}, "trailLogs": {"retentionDays": 3653}, "alarms": {"removeMutes": true},
		"flowLogs": {"trafficType": "ALL", "format": "${version} ${vpc-id} ${action}", "graceSeconds": 900, "exemptByTag": true, "aggregationSeconds": 60, "rejectAlarm": {},
			"subnets": {"tags": {"sensitive": "yes"}, "destination": {"arn": "` + arn + `:s3:::flows-{region}/subnets", "fileFormat": "parquet"}},
			"networkInterfaces": {"ids": ["eni-0a1b2c3d4e5f60042"], "destination": {"arn": "` + arn + `:firehose:{region}:444455556666:deliverystream/flows",
				"roleArn": "` + arn + `:iam::111122223333:role/flows", "crossAccountRoleArn": "` + arn + `:iam::444455556666:role/flows"}}},
		"kmsKeys": {"` + home + `": "` + arn + `:kms:` + home + `:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"},
		"addControls": [{"id": "object-deletions", "pattern": "{ $.eventName = %^DeleteObject% }"}],
		"subscribers": [
			{"protocol": "email", "endpoint": "security@example.com"}, {"protocol": "email-json", "endpoint": "security@example.com"},
			{"protocol": "https", "endpoint": "https://example.com/oncall"}, {"protocol": "sms", "endpoint": "+15555550100"},
			{"protocol": "sqs", "endpoint": "` + arn + `:sqs:` + home + `:111122223333:oncall"},
			{"protocol": "lambda", "endpoint": "` + arn + `:lambda:` + home + `:111122223333:function:oncall"},
			{"protocol": "lambda", "endpoint": "` + arn + `:lambda:` + home + `:444455556666:function:oncall:live"},
			{"protocol": "lambda", "endpoint": "` + arn + `:lambda:` + further + `:111122223333:function:oncall"}
		],
		"audit": {"securityHub": {"frameworks": ["all"], "hours": 1}},
		"organization": {"id": "o-a1b2c3d4e5", "hubAccount": "111122223333", "excludeAccounts": ["444455556666"], "externalId": "` + strings.Repeat("e", 200) + `"},
		"tags": {"team": "security"}
	}`
}

// An app is a synthesized app. It maps names to stacks.
type app map[string]synthesized

type synthesized struct {
	template
	raw       any // the whole template
	region    string
	protected bool // has termination protection
	tags      map[string]*string
	warnings  []string
}

// synth builds the stacks of a configuration. It panics if it fails, because
// nothing can be tested without the stacks.
func synth(raw string, arch stack.Arch, home string) app {
	return synthPlain(raw, arch, home, nil)
}

func synthPlain(raw string, arch stack.Arch, home string, plain *stack.Plain) app {
	c, err := config.Parse([]byte(raw))
	if err != nil {
		panic(err)
	}
	dir, err := os.MkdirTemp("", "relight-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for _, f := range catalog.Binaries() {
		if err := os.WriteFile(filepath.Join(dir, string(f)), elfHeader(arch), 0o600); err != nil {
			panic(err)
		}
	}
	if err := stack.Stage(filepath.Join(dir, "code"), dir, c, arch); err != nil {
		panic(err)
	}
	a := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false), Outdir: jsii.String(filepath.Join(dir, "out"))})
	stack.Add(a, stack.Props{Config: c, Home: home, Code: filepath.Join(dir, "code"), Arch: arch, Version: "1.2.3", Plain: plain})
	out := app{}
	for _, child := range *a.Node().Children() {
		s := child.(awscdk.Stack)
		one := synthesized{
			raw:       assertions.Template_FromStack(s, nil).ToJSON(),
			region:    *s.Region(),
			protected: *s.TerminationProtection(),
			tags:      *s.Tags().TagValues(),
		}
		raw, err := json.Marshal(one.raw)
		if err != nil {
			panic(err)
		}
		if err := json.Unmarshal(raw, &one.template); err != nil {
			panic(err)
		}
		for _, w := range *assertions.Annotations_FromStack(s).FindWarning(jsii.String("*"), assertions.Match_AnyValue()) {
			one.warnings = append(one.warnings, fmt.Sprint(*w.Id, ": ", w.Entry.Data)) //nolint:staticcheck // the binding has FindWarning return this type only
		}
		out[*s.StackName()] = one
	}
	return out
}

// A template has the parts of a CloudFormation template that the tests read.
type template struct {
	Metadata   map[string]string
	Resources  map[string]resource
	Parameters map[string]any
	Outputs    map[string]any
	Conditions map[string]any
}

type resource struct {
	Type                string
	Properties          map[string]any
	DependsOn           []string
	Condition           string
	DeletionPolicy      string
	UpdateReplacePolicy string
}

// of returns the resources of a type by logical ID.
func (t template) of(typ string) map[string]resource {
	found := map[string]resource{}
	for id, r := range t.Resources {
		if r.Type == typ {
			found[id] = r
		}
	}
	return found
}

// only returns the only resource of a type.
func (t template) only(tb testing.TB, typ string) (string, resource) {
	tb.Helper()
	found := t.of(typ)
	if len(found) != 1 {
		tb.Fatalf("%d resources of type %s, want 1", len(found), typ)
	}
	for id, r := range found {
		return id, r
	}
	panic("unreachable")
}

// named returns the only resource of a type whose ID begins with a prefix.
func (t template) named(tb testing.TB, typ, prefix string) (string, resource) {
	tb.Helper()
	var ids []string
	for id := range t.of(typ) {
		if strings.HasPrefix(id, prefix) {
			ids = append(ids, id)
		}
	}
	if len(ids) != 1 {
		tb.Fatalf("resources %v of type %s begin with %s, want one", ids, typ, prefix)
	}
	return ids[0], t.Resources[ids[0]]
}

// function returns the function with a deployed name.
func (t template) function(tb testing.TB, name string) (string, resource) {
	tb.Helper()
	for id, r := range t.of("AWS::Lambda::Function") {
		if r.Properties["FunctionName"] == name {
			return id, r
		}
	}
	tb.Fatalf("no function %s", name)
	panic("unreachable")
}

// queue returns the logical ID of the queue that feeds the function with the
// given logical ID.
func (t template) queue(tb testing.TB, function string) string {
	tb.Helper()
	for _, m := range t.of("AWS::Lambda::EventSourceMapping") {
		if text(m.Properties["FunctionName"]) == ref(function) {
			return strings.TrimSuffix(strings.TrimPrefix(text(m.Properties["EventSourceArn"]), "${"), ".Arn}")
		}
	}
	tb.Fatalf("nothing feeds %s", function)
	panic("unreachable")
}

func ref(id string) string { return "${" + id + "}" }
func arn(id string) string { return "${" + id + ".Arn}" }

// stackPart stands for the first eight digits of the UUID in the stack's ID.
const stackPart = "${the first part of AWS::StackId}"

// text renders a property as one string, with references written as in Fn::Sub.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		if id, ok := v["Ref"].(string); ok {
			return ref(id)
		}
		if get, ok := v["Fn::GetAtt"].([]any); ok {
			return fmt.Sprintf("${%s.%s}", get...)
		}
		if join, ok := v["Fn::Join"].([]any); ok {
			return strings.Join(texts(join[1]), join[0].(string))
		}
		if v["Fn::Select"] != nil {
			if raw, _ := json.Marshal(v); string(raw) == `{"Fn::Select":[0,{"Fn::Split":["-",{"Fn::Select":[2,{"Fn::Split":["/",{"Ref":"AWS::StackId"}]}]}]}]}` {
				return stackPart
			}
		}
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// texts renders a property that is either one value or a list of values.
func texts(v any) []string {
	list, ok := v.([]any)
	if !ok {
		return []string{text(v)}
	}
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = text(e)
	}
	return out
}

// at returns the value at a path of keys and list indexes. It returns nil if
// there is none.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return nil
			}
			v = list[step]
		}
	}
	return v
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func ids(m map[string]resource) []string { return slices.Sorted(maps.Keys(m)) }

// The template has what the configuration says beyond the defaults, from which the
// command reads the same configuration again.
func TestConfigIsRecorded(t *testing.T) {
	for name, s := range map[string]app{"relight": defaults(), "acme": custom(), "audit-lights-of-acme": full[0].app()} {
		metadata := s[name].Metadata
		if metadata[catalog.ConfigSchemaKey] != catalog.ConfigSchema {
			t.Errorf("%s: schema %v, want %s", name, metadata[catalog.ConfigSchemaKey], catalog.ConfigSchema)
		}
		facts := config.Facts{}
		for key, value := range metadata {
			if path, ok := strings.CutPrefix(key, catalog.ConfigKey); ok {
				facts[path] = value
			}
		}
		c, err := facts.Config()
		if err != nil || c.Prefix != name || c.Baseline().StackName() != name || len(facts) != len(metadata)-1 {
			t.Errorf("%s: %d facts of %d keys, prefix %q, %v", name, len(facts), len(metadata), c.Prefix, err)
		}
		for further, other := range s {
			if further != name && len(other.Metadata) > 0 {
				t.Errorf("%s has metadata: %v", further, other.Metadata)
			}
		}
	}
	if mode := custom()["acme"].Metadata["relight:modes.alarms"]; mode != `"off"` {
		t.Errorf("mode of alarms %v, want off", mode)
	}
}

// The CDK warns of nothing: a warning that always appears hides the one that matters.
func TestNoWarnings(t *testing.T) {
	for name, a := range map[string]app{"defaults": defaults(), "custom": custom()} {
		for stack, s := range a {
			if len(s.warnings) > 0 {
				t.Errorf("%s: %s has %d warnings, such as %s", name, stack, len(s.warnings), s.warnings[0])
			}
		}
	}
}
