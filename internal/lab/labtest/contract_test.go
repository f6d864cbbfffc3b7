package labtest

import (
	"testing"

	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/lab"
)

// TestContract checks the emulator, with the launcher's additions, against the
// clauses that the strict account in memory satisfies. Differs lists the known
// differences; each clause names the AWS document that is its authority.
func TestContract(t *testing.T) {
	bucket(t, "ca-central-1", "contract-trails")
	awstest.Contract(t, awstest.Implementation{
		Clients: awstest.NewClients(config("ca-central-1")), // a region that no other test uses
		Account: lab.Account, Region: "ca-central-1",
		Role:      role(t, "contract-delivery", "vpc-flow-logs.amazonaws.com", "logs:*"),
		TrailRole: role(t, "contract-trails", "cloudtrail.amazonaws.com", "logs:*"), Bucket: "contract-trails",
		Differs: map[string]string{
			"unknown flow log is refused inside a successful reply": "fails the whole call",
			"parameter too long for the standard tier":              "accepts it",
			"alarm shows its warm-up":                               "does not support warm-ups",

			"a subscription outlives its deleted topic until it is unsubscribed": "ends subscriptions with the topic",
		},
	})
}
