package catalog_test

import (
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

// Who may pause is one of the configured roles or users, in this account: a session's
// name, a path and a longer name make nobody one of them.
func TestMayPause(t *testing.T) {
	const account = "111122223333"
	by := catalog.Baseline{PauseBy: []string{
		"arn:aws:iam::111122223333:role/ops/operator", "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Oncall_*",
		"arn:aws:iam::111122223333:user/ops/*", "arn:aws:iam::444455556666:role/guest", "arn:aws:iam::111122223333:role/shift-?",
	}}
	for caller, want := range map[string]bool{
		"arn:aws:sts::111122223333:assumed-role/operator/alice":                               true,
		"arn:aws:iam::111122223333:role/ops/operator":                                         true,
		"arn:aws:iam::111122223333:role/operator":                                             true, // as AWS may name the role of a session
		"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Oncall_0a1b2c/bob@example.com": true,
		"arn:aws:iam::111122223333:user/ops/carol":                                            true,
		"arn:aws:sts::111122223333:assumed-role/shift-1/dan":                                  true,
		"arn:aws:sts::111122223333:assumed-role/shift-12/dan":                                 false,
		"arn:aws:sts::111122223333:assumed-role/shift-/dan":                                   false,
		"arn:aws:sts::111122223333:assumed-role/operator":                                     false,
		"arn:aws:sts::111122223333:assumed-role/operator/":                                    false,
		"arn:aws:sts::111122223333:assumed-role/x/operator":                                   false,
		"arn:aws:sts::111122223333:assumed-role/x/y/operator":                                 false,
		"arn:aws:sts::111122223333:federated-user/operator":                                   false,
		"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dev_0a1b2c/eve":                false,
		"arn:aws:sts::444455556666:assumed-role/operator/alice":                               false,
		"arn:aws:sts::444455556666:assumed-role/guest/x":                                      false,
		"arn:aws:sts::111122223333:assumed-role/guest/x":                                      false,
		"arn:aws-cn:sts::111122223333:assumed-role/operator/alice":                            false,
		"arn:aws:iam::111122223333:user/operator":                                             false,
		"arn:aws:iam::111122223333:user/dev/carol":                                            false,
		"arn:aws:iam::111122223333:root":                                                      false,
		"arn:aws:ssm::111122223333:role/ops/operator":                                         false,
		"ssm.amazonaws.com": false,
		"":                  false,
	} {
		if got := by.MayPause(account, caller); got != want {
			t.Errorf("%s may pause: %t, want %t", caller, got, want)
		}
	}
	if root := (catalog.Baseline{PauseBy: []string{"arn:aws:iam::111122223333:root"}}); !root.MayPause(account, "arn:aws:iam::111122223333:root") {
		t.Error("the root user may not pause, although he is configured")
	}
}
