package main

import (
	"strings"
	"testing"
)

// A removal asks nobody without a terminal, and refuses while a stack exists, with the
// commands that delete it.
func TestRemoveRefuses(t *testing.T) {
	noAWS(t)
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"nobody to ask":    {[]string{"remove"}, "--yes does not ask"},
		"too soon":         {[]string{"remove", "--yes", "--key-days", "6"}, "--key-days 6: KMS deletes a key after 7 to 30 days"},
		"too late":         {[]string{"remove", "--plan", "--key-days", "31"}, "--key-days 31"},
		"no configuration": {[]string{"remove", "--yes", "--config", "none.json"}, "none.json"},
	} {
		t.Run(name, func(t *testing.T) {
			if code, stdout, stderr := relight(t, tt.args...); code != exitError || stdout != "" || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit code %d, want %d and %q: %s%s", code, exitError, tt.want, stdout, stderr)
			}
		})
	}
	err := stillThere([]string{"eu-west-1/relight-eu-west-1", "us-east-1/relight"})
	const want = "make destroy first, or, if it was deployed from a release,\n" +
		"  aws cloudformation delete-stack --region eu-west-1 --stack-name relight-eu-west-1\n" +
		"  aws cloudformation delete-stack --region us-east-1 --stack-name relight"
	if !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}
