package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/config"
)

// cdk.json passes an object, "-c relight=…" passes a string, and an app without
// either passes nothing.
func TestDecode(t *testing.T) {
	tests := []struct {
		context any
		prefix  string
	}{
		{nil, "relight"},
		{map[string]any{}, "relight"},
		{map[string]any{"prefix": "acme"}, "acme"},
		{`{"prefix":"acme"}`, "acme"},
		{"", "relight"},
	}
	for _, tt := range tests {
		if c, err := decode(tt.context); err != nil || c.Prefix != tt.prefix {
			t.Errorf("decode(%v) = prefix %q, %v; want %q", tt.context, c.Prefix, err, tt.prefix)
		}
	}
}

func TestDecodeListsEveryProblem(t *testing.T) {
	for _, context := range []any{
		map[string]any{"sweepMinutes": 1, "prefix": "Bad_", "regions": []any{"Ireland"}},
		`{"sweepMinutes":1,"prefix":"Bad_","regions":["Ireland"]}`,
	} {
		_, err := decode(context)
		if err == nil {
			t.Fatalf("decode(%v) returned no error", context)
		}
		for _, want := range []string{"cdk.json", "sweepMinutes", "Bad_", "Ireland"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("decode(%v) = %v, want an error that says %s", context, err, want)
			}
		}
	}
	if _, err := decode(3.0); err == nil || !strings.Contains(err.Error(), "not a configuration") {
		t.Errorf("decode(3) = %v, want an error", err)
	}
}

// The synthesis refuses what the command line refuses, with every problem at once.
func TestDecodeRefuses(t *testing.T) {
	raw, err := os.ReadFile("../internal/config/testdata/refused.json")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../internal/config/testdata/refused.txt")
	if err != nil {
		t.Fatal(err)
	}
	var context any
	if err := json.Unmarshal(raw, &context); err != nil {
		t.Fatal(err)
	}
	_, problems, _ := strings.Cut(string(want), ".json: ")
	for _, context := range []any{context, string(raw)} {
		// Numbers lose how they were written in an object.
		problems := problems
		if _, isString := context.(string); !isString {
			problems = strings.Replace(problems, "1e300", "1e+300", 1)
		}
		if _, err := decode(context); err == nil || !strings.HasSuffix(err.Error()+"\n", problems) {
			t.Errorf("decode returned %v, want\n%s", err, problems)
		}
	}
}

// The CDK passes on the last of two equal keys, so the file is read, too.
func TestRepeatedKeys(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := repeatedKeys("cdk.json"); err != nil {
		t.Errorf("without a cdk.json: %v", err)
	}
	for raw, want := range map[string]string{
		`{"context":{"relight":{"prefix":"acme","sweepMinutes":1}}}`:                          "",
		`{"context":{"relight":{"prefix":"acme","tags":{"a":"b","a":"c"},"prefix":"watch"}}}`: "prefix is there twice: remove one\ntags.a is there twice: remove one",
		`{"context":{"relight":{}},"context":{"relight":{}}}`:                                 "context is there twice",
	} {
		if err := os.WriteFile("cdk.json", []byte(raw), 0o600); err != nil {
			t.Fatal(err)
		}
		err := repeatedKeys("cdk.json")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", raw, err, want)
		}
	}
}

// Without a region, the CDK CLI says us-east-1. relight never deploys there
// unless somebody named that region.
func TestHomeRegion(t *testing.T) {
	env := func(pairs ...string) func(string) string {
		return func(key string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == key {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	tests := []struct {
		configured string
		getenv     func(string) string
		want, from string
	}{
		{"eu-west-1", env("CDK_DEFAULT_REGION", "us-east-1"), "eu-west-1", "homeRegion"},
		{"us-east-1", env(), "us-east-1", "homeRegion"},
		{"", env("CDK_DEFAULT_REGION", "us-east-1", "AWS_REGION", "us-east-1"), "us-east-1", "AWS_REGION"},
		{"", env("CDK_DEFAULT_REGION", "us-east-1", "AWS_DEFAULT_REGION", "us-east-1"), "us-east-1", "AWS_DEFAULT_REGION"},
		{"", env("CDK_DEFAULT_REGION", "eu-west-1", "AWS_REGION", "eu-west-1"), "eu-west-1", "AWS_REGION"},
		{"", env("CDK_DEFAULT_REGION", "eu-west-1"), "eu-west-1", "the AWS profile"},
		{"", env("AWS_REGION", "eu-west-1"), "eu-west-1", "AWS_REGION"},
		{"", env("CDK_DEFAULT_REGION", "us-east-1"), "", ""},
		{"", env("CDK_DEFAULT_REGION", "us-east-1", "AWS_PROFILE", "audit"), "", ""},
		{"", env(), "", ""},
	}
	for i, tt := range tests {
		got, from, err := homeRegion(valid(t, tt.configured), tt.getenv)
		if got != tt.want || from != tt.from || (err != nil) != (tt.want == "") {
			t.Errorf("%d: homeRegion = %q from %q, %v; want %q from %q", i, got, from, err, tt.want, tt.from)
		}
		if err != nil && !strings.Contains(err.Error(), "set homeRegion") {
			t.Errorf("%d: %v, want it to say what to set", i, err)
		}
	}
	mixed, err := decode(`{"regions":["eu-west-1"]}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := homeRegion(mixed, env("CDK_DEFAULT_REGION", "us-gov-west-1")); err == nil || !strings.Contains(err.Error(), "aws-us-gov") {
		t.Errorf("homeRegion = %v, want an error about the partitions", err)
	}
}

func valid(t *testing.T, home string) config.Config {
	t.Helper()
	c, err := decode(map[string]any{"homeRegion": home})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRunStopsEarly(t *testing.T) {
	if err := run(func(string) string { return "mips" }); err == nil || !strings.Contains(err.Error(), `RELIGHT_ARCH: architecture "mips"`) {
		t.Errorf("run = %v, want an error about the architecture", err)
	}
	t.Setenv("PATH", t.TempDir())
	if err := run(func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "Node.js") {
		t.Errorf("run = %v, want an error that asks for Node.js", err)
	}
}
