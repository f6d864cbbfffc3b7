package main

import (
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

func TestHomeRegion(t *testing.T) {
	tests := []struct{ configured, cdk, want string }{
		{"eu-west-1", "us-east-1", "eu-west-1"},
		{"", "us-east-1", "us-east-1"},
		{"", "", ""},
	}
	for _, tt := range tests {
		got, err := homeRegion(config.Config{HomeRegion: tt.configured}, func(string) string { return tt.cdk })
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("homeRegion(%q, %q) = %q, %v; want %q", tt.configured, tt.cdk, got, err, tt.want)
		}
	}
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
