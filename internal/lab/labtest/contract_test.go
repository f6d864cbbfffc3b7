package labtest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/lab"
)

// TestContract checks the emulator, with the launcher's additions, against the
// clauses that the strict account in memory satisfies. Differs lists the known
// differences; each clause names the AWS document that is its authority.
func TestContract(t *testing.T) {
	const region = "ca-central-1" // no other test uses it
	bucket(t, region, "contract-trails")
	flowLogBucket(t, region, "contract-flow-logs")
	awstest.Contract(t, awstest.Implementation{
		Clients: awstest.NewClients(config(region)),
		Account: lab.Account, Region: region,
		Role:      role(t, "contract-delivery", "vpc-flow-logs.amazonaws.com", "logs:*"),
		TrailRole: role(t, "contract-trails", "cloudtrail.amazonaws.com", "logs:*"), Bucket: "contract-trails", LogBucket: "contract-flow-logs",
		Function: aliased(t, region, "contract", "live"), Alias: "live",
		Differs: map[string]string{
			"unknown flow log is refused inside a successful reply": "fails the whole call",
			"parameter too long for the standard tier":              "accepts it",
			"alarm shows its warm-up":                               "does not support warm-ups",
			"inline policies of a role have a size together":        "accepts any size",

			"a subscription outlives its deleted topic until it is unsubscribed": "ends subscriptions with the topic",

			"a permission of an alias is of the alias alone": "has one policy for a function and its aliases",
			"a function without permissions has no policy":   "shows a policy without statements",
			"$LATEST takes no permission":                    "accepts it",
		},
	})
}

// aliased makes a function with an alias.
func aliased(t *testing.T, region, name, alias string) (arn string) {
	t.Helper()
	c := lambda.NewFromConfig(config(region))
	out, err := c.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, Role: aws.String(role(t, name+"-function", "lambda.amazonaws.com", "logs:*")), Runtime: lambdatypes.RuntimeProvidedal2023,
		Handler: aws.String("bootstrap"), Code: &lambdatypes.FunctionCode{ZipFile: zipped(t, []byte("never run"))},
	})
	must(t, err)
	version, err := c.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: &name})
	must(t, err)
	_, err = c.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: &name, Name: &alias, FunctionVersion: version.Version})
	must(t, err)
	return *out.FunctionArn
}
