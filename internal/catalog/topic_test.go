package catalog_test

import (
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

// What names a subscriber goes into logs and notifications, where a password
// must not be.
func TestSubscriberHidesPassword(t *testing.T) {
	for endpoint, want := range map[string]string{
		"https://me:secret@example.com/hook?x=%20y": "https https://me:xxxxx@example.com/hook?x=%20y",
		"https://me@example.com/hook":               "https https://me@example.com/hook",
		"https://example.com/a@b":                   "https https://example.com/a@b",
		"arn:aws:sqs:eu-west-1:111122223333:oncall": "https arn:aws:sqs:eu-west-1:111122223333:oncall",
		"%zz": "https %zz",
	} {
		if got := (catalog.Subscriber{Protocol: "https", Endpoint: endpoint}).String(); got != want {
			t.Errorf("%s is named %q, want %q", endpoint, got, want)
		}
	}
}
