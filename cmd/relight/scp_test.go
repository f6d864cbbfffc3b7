package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The printed policy is the golden one, in text and without white space in JSON.
func TestSCP(t *testing.T) {
	golden, err := filepath.Abs(filepath.Join("testdata", "scp.json"))
	if err != nil {
		t.Fatal(err)
	}
	noAWS(t)
	t.Setenv("AWS_REGION", "us-gov-west-1")
	code, out, stderr := relight(t, "scp", "--allow", "arn:aws-us-gov:iam::*:role/deployer-*")
	if code != 0 {
		t.Fatal(stderr)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, short, _ := relight(t, "scp", "--output", "json", "--allow", "arn:aws-us-gov:iam::*:role/deployer-*")
	var a, b any
	if json.Unmarshal([]byte(out), &a) != nil || json.Unmarshal([]byte(short), &b) != nil || !cmp.Equal(a, b) || strings.ContainsAny(strings.TrimSpace(short), " \n") {
		t.Errorf("as JSON: %s", short)
	}
	if _, out, _ := relight(t, "scp", "--partition", "aws-cn"); !strings.Contains(out, `"arn:aws-cn:iam::*:role/cdk-*"`) {
		t.Errorf("the bootstrap's roles are not allowed: %s", out)
	}
	for args, want := range map[string]string{
		"--allow deployer":                       "use the ARN of a role of partition aws-us-gov",
		"--allow arn:aws:iam::*:role/deployer":   "use the ARN of a role of partition aws-us-gov",
		"--allow arn:aws-us-gov:iam::*:user/eve": "use the ARN of a role",
	} {
		if code, _, stderr := relight(t, append([]string{"scp"}, strings.Fields(args)...)...); code != exitError || !strings.Contains(stderr, want) {
			t.Errorf("%s: %d, %s", args, code, stderr)
		}
	}
	t.Setenv("AWS_REGION", "")
	if code, _, stderr := relight(t, "scp"); code != exitError || !strings.Contains(stderr, "--partition") {
		t.Errorf("without a region: %d, %s", code, stderr)
	}
}
