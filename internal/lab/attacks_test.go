package lab

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/relight-aws/relight/internal/catalog"
)

// sample returns a sample of what a placeholder reads from an account.
func sample(name string) (any, error) {
	switch name {
	case "flow-logs", "flow-logs-of-vpc", "flow-logs-to-lost-bucket", "flow-logs-of-subnet", "flow-logs-of-interface", "every-flow-log":
		return []string{"fl-1", "fl-2"}, nil
	case "alarms":
		return []string{"relight-root-usage", "relight-iam-changes"}, nil
	case "spoke-tags-before":
		return []input{{"Key": "owner", "Value": "security"}}, nil
	case "mapping", "spare-mapping":
		return "6f1c9d2e-0b7a-4c53-9f0e-2d5b8a7c1e40", nil
	}
	return "sample", nil
}

// TestSDKCalls makes every call of the Go SDK with sample values, up to the
// SDK's own validation: the input has no member that the operation does not
// know, and no required member is missing. The call stops there, because its
// context has ended.
func TestSDKCalls(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	s := Principal{AccessKey: "key", Secret: "secret", endpoint: "http://localhost"}.In(Region)
	for _, at := range AllAttacks() {
		for _, c := range slices.Concat(at.Calls, at.Undo) {
			if c.Client != goSDK {
				continue
			}
			in, err := c.fill(sample)
			if err != nil {
				t.Errorf("%s: %s: %v", at.Name, c, err)
			}
			if err := c.send(over, s, in); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %s %s: %v", at.Name, c, in, err)
			}
		}
	}
}

// The lab refuses a call whose input the SDK does not know.
func TestSDKCallsAreStrict(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	s := Principal{AccessKey: "key", Secret: "secret", endpoint: "http://localhost"}.In(Region)
	for _, in := range []input{
		{"logGroup": "g"},                // no such member
		{},                               // a required member is missing
		{"logGroupName": "${flow-logs}"}, // a list where a string belongs
	} {
		c := sdk((*cloudwatchlogs.Client).DeleteLogGroup, in)
		raw, err := c.fill(sample)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.send(over, s, raw); err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("%s %s was made: %v", c, raw, err)
		}
	}
}

// TestCLICalls validates every call of the AWS CLI with sample values against
// the CLI's own models.
func TestCLICalls(t *testing.T) {
	type call struct {
		Attack, Service, Command, Operation string
		Input                               json.RawMessage
	}
	var calls []call
	for _, at := range AllAttacks() {
		for _, c := range slices.Concat(at.Calls, at.Undo) {
			if c.Client == awsCLI {
				in, err := c.fill(sample)
				if err != nil {
					t.Errorf("%s: %s: %v", at.Name, c, err)
				}
				calls = append(calls, call{at.Name, c.Service, kebab(c.Operation), c.Operation, in})
			}
		}
	}
	raw, err := json.Marshal(calls)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := Checkout()
	if err != nil {
		t.Fatal(err)
	}
	check := exec.Command(filepath.Join(dir, ".venv", "bin", "python"), filepath.Join("testdata", "cli_calls.py"))
	check.Stdin = strings.NewReader(string(raw))
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v; make .venv installs the AWS CLI\n%s", err, out)
	}
}

// TestPlaceholders checks that a session can read every placeholder of the
// attacks.
func TestPlaceholders(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	s := Principal{AccessKey: "key", Secret: "secret", endpoint: "http://localhost"}.In(Region)
	target := Target{VPCs: []string{"vpc-1", "vpc-2"}, Subnets: []string{"subnet-1"}, Interfaces: []string{"eni-1"}}
	for _, at := range AllAttacks() {
		for _, c := range slices.Concat(at.Calls, at.Undo) {
			if _, err := c.fill(func(name string) (any, error) { return s.read(over, target, strings.TrimSuffix(name, before)) }); err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", at.Name, err)
			}
		}
	}
}

func TestFill(t *testing.T) {
	c := sdk((*cloudwatchlogs.Client).DeleteLogGroup, input{
		"List": "${flow-logs}", "One": "${topic}", "Inside": `ALARM("${prefix}-x")`, "Many": []string{"${prefix}-a"}, "Number": 1,
	})
	got, err := c.fill(sample)
	const want = `{"Inside":"ALARM(\"sample-x\")","List":["fl-1","fl-2"],"Many":["sample-a"],"Number":1,"One":"sample"}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

// Some attack makes every watched call. Each attack has either calls or code, a
// technique that docs/demo.md explains, and a unique name.
func TestAttacksCoverTheCatalog(t *testing.T) {
	recorded := map[string]string{ // CloudTrail's names for operations of S3
		"PutBucketLifecycleConfiguration":    "PutBucketLifecycle",
		"PutBucketNotificationConfiguration": "PutBucketNotification",
		"PutPublicAccessBlock":               "PutBucketPublicAccessBlock",
		"DeletePublicAccessBlock":            "DeleteBucketPublicAccessBlock",
		"PutObjectLockConfiguration":         "PutBucketObjectLockConfiguration",
	}
	made := map[string]bool{}
	word := regexp.MustCompile(`[A-Za-z]+`)
	seen := map[string]bool{}
	for _, at := range AllAttacks() {
		for _, c := range at.Calls {
			made[c.Operation], made[recorded[c.Operation]] = true, true
		}
		if at.Do != nil {
			for _, w := range word.FindAllString(at.Name, -1) {
				made[w] = true
			}
		}
		if (at.Do == nil) == (len(at.Calls) == 0) {
			t.Errorf("%s: an attack has either calls or code", at.Name)
		}
		if !at.Reported && len(at.Undo) > 0 {
			t.Errorf("%s: only an attack that has to be reported may have calls in Undo", at.Name)
		}
		if at.Technique != notAnIntrusion && !slices.ContainsFunc(Techniques(), func(k Technique) bool { return k.ID == at.Technique }) {
			t.Errorf("%s: technique %s is not among Techniques", at.Name, at.Technique)
		}
		key := at.Name + at.Client() + at.Account + at.Region
		if seen[key] {
			t.Errorf("%s: two attacks have this name, client, account and region", at.Name)
		}
		seen[key] = true
	}
	for _, c := range catalog.Calls {
		if c.Name != "" && !made[APIDate.ReplaceAllString(c.Name, "")] {
			t.Errorf("no attack makes %s", c.Name)
		}
	}
}
