package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/config"
	"github.com/relight-aws/relight/internal/spoke"
)

// The command prints the template of the configuration, on one line as JSON, and says what
// is missing.
func TestSpokeTemplate(t *testing.T) {
	const organization = `{"regions":["eu-central-1"],"organization":{"id":"o-a1b2c3d4e5","hubAccount":"111122223333"}}`
	noAWS(t)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile("relight.json", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(organization)
	if code, out, stderr := relight(t, "spoke-template", "--config", "relight.json"); code != exitError || out != "" || !strings.Contains(stderr, "no region: set homeRegion") {
		t.Errorf("without a region: %d, %s%s", code, out, stderr)
	}
	t.Setenv("AWS_REGION", "eu-west-1")
	code, out, stderr := relight(t, "spoke-template", "--config", "relight.json")
	c, err := config.Parse([]byte(organization))
	if err != nil {
		t.Fatal(err)
	}
	want, err := spoke.Template(c, "eu-west-1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out); code != 0 || stderr != "" || diff != "" {
		t.Errorf("%d, %s (-want +got):\n%s", code, stderr, diff)
	}
	_, line, _ := relight(t, "spoke-template", "--config", "relight.json", "--output", "json")
	var a, b any
	if json.Unmarshal([]byte(out), &a) != nil || json.Unmarshal([]byte(line), &b) != nil || !cmp.Equal(a, b) || strings.Count(line, "\n") != 1 {
		t.Errorf("as JSON: %s", line)
	}
	for text, want := range map[string]string{
		`{}`:                                     "the configuration names no organisation: set organization.id and organization.hubAccount",
		`{"organization":{"id":"o-a1b2c3d4e5"}}`: `organization.hubAccount "" is not the ID of an account`,
		strings.Replace(organization, "eu-central-1", "cn-north-1", 1): "partitions share no accounts",
	} {
		write(text)
		if code, out, stderr := relight(t, "spoke-template", "--config", "relight.json"); code != exitError || out != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: %d, %s%s", text, code, out, stderr)
		}
	}
}
